import { throwIfAborted } from "./abortable.ts";

/** CRC-32 (zlib's) of `data`, going on from `previous` (0 to begin). An unsigned number. */
export type Crc32 = (data: Uint8Array, previous?: number) => number;

/** A CRC-32 as the wire writes it: 8 hex digits, lower case. */
export function formatCrc32(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** The CRC-32 of everything a source yields, 8 hex digits; it takes long enough to be aborted. */
export async function crc32Of(
  chunks: AsyncIterable<Uint8Array>,
  crc32: Crc32,
  signal?: AbortSignal,
): Promise<string> {
  let value = 0;
  for await (const chunk of chunks) {
    if (signal !== undefined) throwIfAborted(signal);
    value = crc32(chunk, value);
  }
  return formatCrc32(value);
}
