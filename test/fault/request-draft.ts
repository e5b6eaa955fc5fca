import type { HeaderLine } from "../support/raw-http.ts";
import type { SeededRandom } from "../support/seeded.ts";
import type { Fodder } from "./hostile-setting.ts";

/** A request that is still to be written down, so that each part of it can be mangled. */
export interface RequestDraft {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer;
}

export interface Maker {
  readonly random: SeededRandom;
  readonly fodder: Fodder;
}

export type Template = (maker: Maker) => RequestDraft;

export function draft(
  method: string,
  target: string,
  more: Partial<RequestDraft> = {},
): RequestDraft {
  return { method, target, version: "HTTP/1.1", headers: [], body: Buffer.alloc(0), ...more };
}

/** Mostly what may be used up; sometimes what is another app's and must not be. */
export function uploadOf({ random, fodder }: Maker): string {
  return random.pick(random.fraction() < 0.7 ? fodder.uploads : fodder.victimUploads);
}
