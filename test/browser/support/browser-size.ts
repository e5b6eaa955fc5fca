import { type BrowserBundle, bundleForBrowser } from "./browser-bundle.ts";

/** Bytes of gzip that a page may have to load in order to upload. */
export const gzipLengthMax = 12 * 1024;

const programs = Object.freeze({
  "upload alone": "test/browser/support/upload-alone.ts",
  "hawser-client": "hawser-client",
  "hawser-client/indexed-db": "hawser-client/indexed-db",
});

export type BrowserSizes = Readonly<Record<keyof typeof programs, BrowserBundle>>;

/** Bundles what can be imported in a browser, and a page that does nothing but upload. */
export async function measureSizes(): Promise<BrowserSizes> {
  const [alone, whole, store] = await Promise.all([
    bundleForBrowser(programs["upload alone"]),
    bundleForBrowser(programs["hawser-client"]),
    bundleForBrowser(programs["hawser-client/indexed-db"]),
  ]);
  return { "upload alone": alone, "hawser-client": whole, "hawser-client/indexed-db": store };
}

/** One line each: bytes minified, and those compressed. */
export function sizeLines(sizes: BrowserSizes): string[] {
  return Object.entries(sizes).map(
    ([name, { length, gzipLength }]) =>
      `${name.padEnd(26)}${length} bytes minified, ${gzipLength} with gzip`,
  );
}

/** What is wrong with them, a sentence each. */
export function sizeFaults(sizes: BrowserSizes): string[] {
  const faults = Object.entries(sizes)
    .filter(([, { imports }]) => imports.length > 0)
    .map(([name, { imports }]) => `${name} imports ${imports.join(", ")}`);
  const { gzipLength } = sizes["upload alone"];
  if (gzipLength > gzipLengthMax) {
    faults.push(`upload alone has ${gzipLength} bytes with gzip, above ${gzipLengthMax}`);
  }
  return faults;
}
