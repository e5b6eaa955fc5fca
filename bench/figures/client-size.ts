import { bundleForBrowser } from "../../test/browser/support/browser-bundle.ts";
import type { Figure, Measured } from "../figure.ts";

interface Page {
  readonly name: string;
  /** What the page loads: an upload that goes on after a reload, and nothing else. */
  readonly input: string;
}

const ours: Page = { name: "hawser-client", input: "bench/pages/hawser-client.ts" };
const theirs: Page = { name: "tus-js-client", input: "bench/pages/tus-js-client.ts" };

/** What a page has to load to upload, as one bundler makes both. */
export const clientSize: Figure = {
  name: "client-size",
  title: "what a page loads for uploads that go on after a reload",
  measure: async (bench) => {
    const rounds = await bench.rounds([ours, theirs], measure);
    return [rounds.ratio({ of: ours.name, to: theirs.name, what: "gzipKiB", most: 1 })];
  },
};

async function measure({ name, input }: Page): Promise<Measured> {
  const { gzipLength, imports } = await bundleForBrowser(input);
  if (imports.length > 0) throw new Error(`${name} imports ${imports.join(", ")}`);
  return { gzipKiB: gzipLength / 1024 };
}
