import { expect, test } from "vitest";

import { bundleForBrowser } from "./support/browser-bundle.ts";
import { measureSizes, sizeFaults, sizeLines } from "./support/browser-size.ts";

test("the browser's part is small, and imports nothing of Node", async () => {
  const sizes = await measureSizes();
  console.log(sizeLines(sizes).join("\n"));
  expect(sizeFaults(sizes)).toEqual([]);
});

test("an import from Node would be seen", async () => {
  const sizes = await measureSizes();
  const ofNode = await bundleForBrowser("packages/client/src/index.ts");
  const [fault] = sizeFaults({ ...sizes, "hawser-client": ofNode });
  expect(fault).toContain("hawser-client imports");
  expect(fault).toContain("node:http");
});

test("a bundle that grew would be seen", async () => {
  const sizes = await measureSizes();
  const grown = { ...sizes["upload alone"], gzipLength: 20_000 };
  const [fault] = sizeFaults({ ...sizes, "upload alone": grown });
  expect(fault).toContain("upload alone has 20000 bytes with gzip, above ");
});
