import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { slicingCrc32 } from "./slicing-crc32.ts";

const anyBytes = fc.uint8Array({ maxLength: 300 });

test("it is zlib's CRC-32 of any bytes, wherever in a buffer they lie", () => {
  const anyPlace = fc.nat({ max: 9 });
  fc.assert(
    fc.property(anyBytes, anyPlace, (bytes, place) => {
      const around = new Uint8Array(bytes.length + 20).fill(0xa5);
      around.set(bytes, place);
      const inside = around.subarray(place, place + bytes.length);
      expect(slicingCrc32(inside)).toBe(crc32(bytes));
    }),
    { numRuns: 500 },
  );
});

test("it goes on from what came before", () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 6 }), (parts) => {
      const sum = parts.reduce((value, part) => slicingCrc32(part, value), 0);
      expect(sum).toBe(crc32(Buffer.concat(parts)));
    }),
  );
});

test("long runs of every byte agree with zlib", () => {
  for (const byte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
    const run = new Uint8Array(100_003).fill(byte);
    expect(slicingCrc32(run)).toBe(crc32(run));
  }
});
