// `npm run size`: what hawser-client weighs in a browser.
import { measureSizes, sizeFaults, sizeLines } from "./support/browser-size.ts";

const sizes = await measureSizes();
console.log(sizeLines(sizes).join("\n"));
const faults = sizeFaults(sizes);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
