import type { Crc32 } from "../crc32.ts";
import { formatCrc32 } from "../crc32.ts";
import { typeFromContent } from "./media-type.ts";
import type { Source } from "./source.ts";

const chunkBytes = 1024 * 1024;

/** Bytes already in memory. They must not be changed while the upload runs. */
export function bufferSource(bytes: Uint8Array, crc32: Crc32): Source {
  const fingerprint = `${bytes.length}-${formatCrc32(crc32(bytes))}`;
  const contentType = typeFromContent(bytes);
  return {
    name: undefined,
    length: bytes.length,
    type: contentType,
    contentType,
    identity: `bytes:${fingerprint}`,
    fingerprint,
    open: (start, end) => slices(bytes, start, end),
    close: () => Promise.resolve(),
  };
}

// eslint-disable-next-line @typescript-eslint/require-await -- the contract wants an async iterable
async function* slices(bytes: Uint8Array, start: number, end: number) {
  for (let from = start; from < end; from += chunkBytes) {
    yield bytes.subarray(from, Math.min(from + chunkBytes, end));
  }
}
