import fc from "fast-check";
import { expect, test } from "vitest";
import { limits } from "../../base/limits.ts";
import { mergeCount, partBytesAt } from "./s3-merging.ts";

const MiB = 1024 * 1024;
const partBytes = 8 * MiB;

interface Stored {
  readonly extentsMax: number;
  readonly objects: number;
  readonly appendedBytes: number;
  readonly storedBytes: number;
}

/** Appends of these lengths, each stored at its end, as the appender does it. */
function store(lengths: Iterable<number>): Stored {
  let short: number[] = [];
  let whole = 0;
  const seen = { extentsMax: 0, objects: 0, appendedBytes: 0, storedBytes: 0 };
  for (const length of lengths) {
    seen.appendedBytes += length;
    for (let left = length; left > 0;) {
      const before = short.reduce((sum, one) => sum + one, 0);
      const added = Math.min(left, partBytes - before);
      const count = mergeCount({ short, length: added, partBytes });
      const merged = short.slice(short.length - count).reduce((sum, one) => sum + one, added);
      short = short.slice(0, short.length - count);
      if (merged >= partBytes) whole += 1;
      else short.push(merged);
      expect(merged).toBeLessThanOrEqual(partBytes);
      seen.storedBytes += merged;
      left -= added;
      // What is short beyond length / part is what the bound's constant is for.
      const beyond = short.length - short.reduce((sum, one) => sum + one, 0) / partBytes;
      seen.extentsMax = Math.max(seen.extentsMax, beyond);
    }
  }
  return { ...seen, objects: whole + short.length };
}

test("whatever the lengths, there are few short extents, and each byte is stored a few times", () => {
  const lengths = fc.array(
    fc.oneof(
      fc.integer({ min: 1, max: 16 * 1024 }),
      fc.integer({ min: 1, max: 2 * MiB }),
      fc.integer({ min: 1, max: 20 * MiB }),
    ),
    { minLength: 1, maxLength: 400 },
  );
  fc.assert(
    fc.property(lengths, (some) => {
      const { extentsMax, storedBytes, appendedBytes } = store(some);
      expect(extentsMax).toBeLessThanOrEqual(64);
      // Bytes of the catalog's own, up to 16 KiB each, are put together there more often.
      expect(storedBytes).toBeLessThanOrEqual(6 * appendedBytes + 8 * partBytes);
    }),
    { numRuns: 300 },
  );
});

test.for([100, 1_000, 10_000, 16_384, 16_385, 100_000, 1_000_000, 4 * MiB, 5_000_000])(
  "many appends of %d bytes leave at most 64 extents more than there are parts",
  (length) => {
    const count = Math.ceil(Math.min(20_000 * length, 64 * MiB) / length);
    const { extentsMax, storedBytes, appendedBytes } = store(Array<number>(count).fill(length));
    expect(extentsMax).toBeLessThanOrEqual(64);
    if (length > limits.inlineBytesMax) {
      expect(storedBytes).toBeLessThanOrEqual(5 * appendedBytes);
    }
  },
);

test("parts grow with the offset, so that long uploads need no more of them", () => {
  const GiB = 1024 * MiB;
  const seen = [0, 8 * GiB - 1, 8 * GiB, 24 * GiB, 72 * GiB, 10_000 * GiB];
  expect(seen.map((offset) => partBytesAt(offset, partBytes) / MiB)).toEqual([
    8, 8, 16, 32, 64, 64,
  ]);
});
