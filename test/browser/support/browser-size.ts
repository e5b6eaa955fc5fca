import { type BrowserBundle, bundleForBrowser } from "./browser-bundle.ts";

interface Weighed {
  /** A file of this repository, or what a page imports. */
  readonly input: string;
  /** Bytes of gzip that a page may have to load at most. */
  readonly gzipLengthMax: number;
}

const parts = "test/browser/support";

const weighed = Object.freeze({
  "upload alone": { input: `${parts}/upload-alone.ts`, gzipLengthMax: 11.25 * 1024 },
  "upload and queue": { input: `${parts}/upload-and-queue.ts`, gzipLengthMax: 12 * 1024 },
  "upload with tus": { input: `${parts}/upload-with-tus.ts`, gzipLengthMax: 12.25 * 1024 },
  "upload with ietf": { input: `${parts}/upload-with-ietf.ts`, gzipLengthMax: 12.5 * 1024 },
  "hawser-client": { input: "hawser-client", gzipLengthMax: 13.5 * 1024 },
  "hawser-client/indexed-db": { input: "hawser-client/indexed-db", gzipLengthMax: 2 * 1024 },
} satisfies Readonly<Record<string, Weighed>>);

export type BrowserSizes = Readonly<Record<keyof typeof weighed, BrowserBundle>>;

/** Bundles what can be imported in a browser, as a whole and as pages use it. */
export async function measureSizes(): Promise<BrowserSizes> {
  const measured = await Promise.all(
    Object.entries(weighed).map(async ([name, { input }]) => [name, await bundleForBrowser(input)]),
  );
  // `as` because these are the keys of what was weighed.
  return Object.fromEntries(measured) as BrowserSizes;
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
  const weights = Object.entries(weighed).flatMap(([name, { gzipLengthMax: max }]) => {
    // `as` because both records have the same keys.
    const { gzipLength } = sizes[name as keyof BrowserSizes];
    return gzipLength > max ? [`${name} has ${gzipLength} bytes with gzip, above ${max}`] : [];
  });
  return [...imports, ...weights];
}
