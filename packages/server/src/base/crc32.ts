import { crc32 as zlibCrc32 } from "node:zlib";
import { createRequire } from "node:module";

type Crc32 = (data: Uint8Array, previous?: number) => number;

/** The native addon is about five times zlib's speed; zlib gives the same value without it. */
function fastestCrc32(): Crc32 {
  try {
    const addon: unknown = createRequire(import.meta.url)("@node-rs/crc32");
    if (typeof addon === "object" && addon !== null && "crc32" in addon) {
      // The addon ships no platform-neutral type; its one signature is checked by crc32.test.ts.
      return addon.crc32 as Crc32;
    }
  } catch {
    // No binary for this platform: zlib serves.
  }
  return zlibCrc32;
}

/** CRC-32 (IEEE, as in zlib and S3) of `data`, going on from `previous`. */
export const crc32: Crc32 = fastestCrc32();

const polynomial = 0xedb88320;

/** Product of two polynomials over GF(2), modulo the CRC polynomial, bit-reflected. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = 31; bit >= 0; bit -= 1) {
    if ((a >>> bit) & 1) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ polynomial : factor >>> 1;
  }
  return product >>> 0;
}

/** x^(8 * byteCount): what appending `byteCount` bytes does to the CRC before them. */
function shiftOf(byteCount: number): number {
  let result = 0x80000000;
  let square = 0x00800000; // x^8, reflected
  for (let rest = byteCount; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(square, result);
    square = multiply(square, square);
  }
  return result;
}

/** The CRC-32 of `first` followed by `second`, where `second` is `secondLength` bytes long. */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  return (multiply(shiftOf(secondLength), first) ^ second) >>> 0;
}

/** The CRC-32 of runs of bytes one after another, going on from `previous`. Lengths in bytes. */
export function crc32OfRuns(
  runs: readonly { readonly crc32: number; readonly length: number }[],
  previous = 0,
): number {
  return runs.reduce((crc, run) => combineCrc32(crc, run.crc32, run.length), previous);
}

/** Eight lower-case hex digits, as answers and logs show it. */
export function formatCrc32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
