import { type BrowserBundle, bundleForBrowser } from "./browser-bundle.ts";

/** Bytes of gzip that a page may have to load at most. */
const gzipLengthsMax = Object.freeze({
  "upload alone": 13 * 1024,
  "hawser-client": 14 * 1024,
  "hawser-client/indexed-db": 2 * 1024,
});

export type BrowserSizes = Readonly<Record<keyof typeof gzipLengthsMax, BrowserBundle>>;

/** Bundles what can be imported in a browser, and a page that does nothing but upload. */
export async function measureSizes(): Promise<BrowserSizes> {
  const [alone, whole, store] = await Promise.all([
    bundleForBrowser("test/browser/support/upload-alone.ts"),
    bundleForBrowser("hawser-client"),
    bundleForBrowser("hawser-client/indexed-db"),
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
  const imports = Object.entries(sizes)
    .filter(([, bundle]) => bundle.imports.length > 0)
    .map(([name, bundle]) => `${name} imports ${bundle.imports.join(", ")}`);
  const weights = Object.entries(gzipLengthsMax).flatMap(([name, max]) => {
    // `as` because both records have the same keys.
    const { gzipLength } = sizes[name as keyof BrowserSizes];
    return gzipLength > max ? [`${name} has ${gzipLength} bytes with gzip, above ${max}`] : [];
  });
  return [...imports, ...weights];
}
