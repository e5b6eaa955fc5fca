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
  let head = new Uint8Array();
  const look: Crc32 = (chunk, value) => {
    if (head.length === 0) head = chunk.slice(0, 64);
    return crc32(chunk, value);
  };
  const first = await crc32Of(source.open(0, Math.min(length, endBytes)), look);
  const last = await crc32Of(source.open(Math.max(0, length - endBytes), length), crc32);
  return { fingerprint: [length, changed, first, last].join("-"), head };
}
