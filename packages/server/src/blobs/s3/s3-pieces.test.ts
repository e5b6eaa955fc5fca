import fc from "fast-check";
import { expect, test } from "vitest";
import { limits } from "../../base/limits.ts";
import { TooManyExtentsError, type StoredExtent } from "../blob-store.ts";
import { partBytesAt } from "./s3-merging.ts";
import { type Piece, planEqually, planObject, planPieces } from "./s3-pieces.ts";

const MiB = 1024 * 1024;

function extentsOf(lengths: readonly number[]): StoredExtent[] {
  let start = 0;
  return lengths.map((length) => {
    const isInline = length <= limits.inlineBytesMax;
    const inline = isInline ? new Uint8Array(length) : undefined;
    const extent = { key: isInline ? "" : `k${start}`, start, length, crc32: 0, inline };
    start += length;
    return extent;
  });
}

test.for([
  ["a store that copies parts", true, 30_000 * MiB],
  ["one that does not", false, 100 * MiB],
] as const)("for %s, pieces cover every byte once, in order, and are as S3 wants them", (store) => {
  const [, partCopy, longest] = store;
  const length = fc.oneof(
    fc.integer({ min: 1, max: 20_000 }),
    fc.integer({ min: 20_000, max: 6 * MiB }),
    fc.integer({ min: 5 * MiB, max: 64 * MiB }),
    fc.integer({ min: 64 * MiB, max: longest }),
  );
  fc.assert(
    fc.property(fc.array(length, { minLength: 1, maxLength: 40 }), (lengths) => {
      const extents = extentsOf(lengths);
      const pieces = planPieces(extents, partCopy);
      let position = 0;
      for (const [index, piece] of pieces.entries()) {
        const begin = position;
        for (const { extent, from, to } of piece.kind === "copy" ? [piece] : piece.slices) {
          expect(extent.start + from).toBe(position);
          expect(to).toBeLessThanOrEqual(extent.length);
          position += to - from;
        }
        const size = position - begin;
        const isLast = index === pieces.length - 1;
        if (!isLast) expect(size).toBeGreaterThanOrEqual(5 * MiB);
        expect(size).toBeLessThanOrEqual(5 * 1024 * MiB);
        if (!partCopy) expect(piece.kind).toBe("write");
        if (piece.kind === "write") {
          expect(piece.length).toBe(size);
          expect(size).toBeLessThan(18 * MiB);
        } else expect(piece.extent.key).not.toBe("");
      }
      expect(position).toBe(lengths.reduce((sum, one) => sum + one, 0));
    }),
    { numRuns: 500 },
  );
});

test.for([
  ["a store that copies parts", true],
  ["one that does not", false],
] as const)("for %s and wants equal parts, all but the last are as long as each other", (store) => {
  const [, partCopy] = store;
  const length = fc.oneof(
    fc.integer({ min: 1, max: 20_000 }),
    fc.integer({ min: 20_000, max: 64 * MiB }),
    fc.integer({ min: 64 * MiB, max: 600 * MiB }),
  );
  fc.assert(
    fc.property(fc.array(length, { minLength: 1, maxLength: 20 }), (lengths) => {
      const pieces = planEqually(extentsOf(lengths), { partCopy, partsMax: 10_000 });
      let position = 0;
      for (const [index, piece] of pieces.entries()) {
        const begin = position;
        for (const { extent, from, to } of piece.kind === "copy" ? [piece] : piece.slices) {
          expect(extent.start + from).toBe(position);
          position += to - from;
        }
        if (index < pieces.length - 1) expect(position - begin).toBe(pieceBytes(pieces));
        else expect(position - begin).toBeLessThanOrEqual(pieceBytes(pieces));
        if (piece.kind === "write") expect(piece.length).toBe(position - begin);
        // A range is copied of nothing shorter.
        else expect(partCopy && piece.extent.length >= 5 * MiB).toBe(true);
      }
      expect(position).toBe(lengths.reduce((sum, one) => sum + one, 0));
    }),
    { numRuns: 100 },
  );
});

function pieceBytes([first]: readonly Piece[]): number {
  if (first === undefined) throw new Error("there is no piece");
  return first.kind === "write" ? first.length : first.to - first.from;
}

test.for([
  [600, 10_000, "one object"],
  [700, 10_000, "no object"],
] as const)("of equal parts, %d GiB where %d make one make %s", ([gib, partsMax, what]) => {
  const plan = (): unknown => planEqually(partsOf(gib * 1024 * MiB), { partCopy: true, partsMax });
  if (what === "one object") expect(plan()).toHaveLength(gib * 16);
  else expect(plan).toThrow(TooManyExtentsError);
});

/** As one upload without a pause leaves them. */
function partsOf(length: number): StoredExtent[] {
  const lengths: number[] = [];
  for (let start = 0; start < length; start += lengths.at(-1) ?? length) {
    lengths.push(Math.min(length - start, partBytesAt(start, limits.s3PartBytes)));
  }
  return extentsOf(lengths);
}

test.for([
  [470, 10_000, "one object"],
  [480, 10_000, "no object"],
  [7.8, 1_000, "one object"],
  [7.9, 1_000, "no object"],
] as const)("a blob of %d GiB in parts, where %d make one, makes %s", ([gib, partsMax, what]) => {
  const extents = partsOf(Math.floor(gib * 1024) * MiB);
  const plan = (): unknown => planObject(extents, { partCopy: true, partsMax });
  if (what === "one object") expect(plan()).toHaveLength(extents.length);
  else expect(plan).toThrow(TooManyExtentsError);
});
