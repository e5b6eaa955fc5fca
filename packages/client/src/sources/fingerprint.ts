import type { Crc32 } from "../crc32.ts";
import { crc32Of } from "../crc32.ts";

const endBytes = 1024 * 1024;

/** What a fingerprint and a type guess need to know. */
export interface Ends {
  readonly fingerprint: string;
  readonly head: Uint8Array;
}

interface Readable {
  readonly length: number;
  open(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** Reads both ends of a source. `changed` is its time of change or whatever else tells versions apart. */
export async function readEnds(source: Readable, changed: string, crc32: Crc32): Promise<Ends> {
  const { length } = source;
  const first = await crc32Of(source.open(0, Math.min(length, endBytes)), crc32);
  const last = await crc32Of(source.open(Math.max(0, length - endBytes), length), crc32);
  const head = await readHead(source);
  return { fingerprint: [length, changed, first, last].join("-"), head };
}

async function readHead(source: Readable): Promise<Uint8Array> {
  for await (const chunk of source.open(0, Math.min(source.length, 64))) return chunk.slice();
  return new Uint8Array();
}
