import { Readable } from "node:stream";
import type { UploadOptions } from "tus-js-client";

import { patternBytes, patternChunks, type SeededRandom } from "../support/seeded.ts";
import type { UploadSource } from "./js-upload.ts";

/** One upload by tus-js-client, and how it is sent. */
export interface JsTrial {
  readonly pattern: { readonly seed: number; readonly length: number };
  readonly source: UploadSource;
  readonly options: UploadOptions;
}

export type JsWay = "plain" | "pieces" | "parallel" | "creation" | "override" | "deferred";

export function jsTrialOf(random: SeededRandom, ways: readonly JsWay[]): JsTrial {
  const pattern = { seed: random.word(), length: random.integer(1, 4_000_000) };
  const chunkSize = random.integer(50_000, 2_000_000);
  const way = random.pick(ways);
  if (way === "deferred") {
    const source = Readable.from(patternChunks(pattern, 64_000), { objectMode: false });
    return { pattern, source, options: { uploadLengthDeferred: true, chunkSize } };
  }
  const options: Readonly<Record<Exclude<JsWay, "deferred">, UploadOptions>> = {
    plain: {},
    pieces: { chunkSize },
    parallel: { parallelUploads: Math.min(random.integer(2, 6), pattern.length), chunkSize },
    creation: { uploadDataDuringCreation: true, chunkSize },
    override: { overridePatchMethod: true },
  };
  return { pattern, source: patternBytes(pattern), options: options[way] };
}
