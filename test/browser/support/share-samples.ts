import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

import { type SampleFile, sampleFile } from "./sample-file.ts";

export interface Samples {
  /** Of the test that runs; removed after it. */
  readonly directory: string;
  readonly sample: (name: string, length: number) => Promise<SampleFile>;
}

/** A directory for each test of a file, and the sample files that it makes there. */
export function shareSamples(): Samples {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "hawser-page-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  return {
    get directory() {
      return directory;
    },
    sample: (name, length) => sampleFile(directory, name, length),
  };
}
