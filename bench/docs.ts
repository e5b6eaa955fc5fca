import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { rewritePage } from "../test/support/marked-section.ts";
import { figures } from "./figures/figures.ts";
import { readKeptFigures } from "./kept-figures.ts";
import { performanceSections } from "./performance-sections.ts";
import { plotOf } from "./plot.ts";

/* `npm run bench:docs`: writes what was measured into the pages. It takes no options. */
parseArgs({ options: {} });
const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const file = "bench/figures.json";

const kept = await readKeptFigures(
  at(file),
  figures.map(({ name }) => name),
);
if (kept === undefined || kept.length === 0) {
  process.stderr.write(
    `There is no ${file}, so there is nothing to write. On a machine that does nothing else:\n` +
      `  npm run bench -- --json ${file} && npm run bench:docs\n`,
  );
  process.exitCode = 1;
} else {
  const { page, front } = performanceSections(kept);
  await writeFile(at("docs/performance.svg"), plotOf(kept));
  await rewritePage(at("docs/performance.md"), [{ name: "performance", content: page }]);
  await rewritePage(at("README.md"), [{ name: "performance", content: front }]);
  process.stdout.write("docs/performance.md, docs/performance.svg and README.md are written\n");
}
