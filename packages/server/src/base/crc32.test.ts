import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { combineCrc32, crc32, formatCrc32 } from "./crc32.ts";

/** CRC-32 of `count` zero bytes by doubling, so that lengths beyond memory can be checked. */
function crcOfZeros(count: number): number {
  const block = Buffer.alloc(1 << 20);
  let crc = 0;
  for (let rest = count; rest > 0; rest -= block.length) {
    crc = zlibCrc32(block.subarray(0, Math.min(rest, block.length)), crc);
  }
  return crc;
}

describe("crc32", () => {
  test("agrees with zlib, going on from any earlier value", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
        expect(crc32(b, crc32(a))).toBe(zlibCrc32(Buffer.concat([a, b])));
      }),
    );
  });

  test("the value of the standard check string is cbf43926", () => {
    expect(formatCrc32(crc32(Buffer.from("123456789")))).toBe("cbf43926");
  });
});

describe("combineCrc32", () => {
  test("two neighbours combine to the CRC of the whole", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 999 }), fc.uint8Array({ maxLength: 999 }), (a, b) => {
        const whole = zlibCrc32(Buffer.concat([a, b]));
        expect(combineCrc32(crc32(a), crc32(b), b.length)).toBe(whole);
      }),
    );
  });

  test.each([2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1])(
    "a second part of %i bytes combines",
    (length) => {
      const half = Math.floor(length / 2);
      const firstHalf = crcOfZeros(half);
      const zeros = combineCrc32(firstHalf, crcOfZeros(length - half), length - half);
      const start = crc32(Buffer.from("start"));
      // Appending zeros one block at a time from "start" must give what the combination gives.
      let expected = start;
      const block = Buffer.alloc(1 << 24);
      for (let rest = length; rest > 0; rest -= block.length) {
        expected = crc32(block.subarray(0, Math.min(rest, block.length)), expected);
      }
      expect(combineCrc32(start, zeros, length)).toBe(expected);
    },
  );
});
