import { limits } from "../../base/limits.ts";
import { TooManyExtentsError, type StoredExtent } from "../blob-store.ts";

/** Bytes [from, to) of an extent. */
export interface ExtentSlice {
  readonly extent: StoredExtent;
  readonly from: number;
  readonly to: number;
}

/** A part of a multipart upload: copied within the store, or read and written again. */
export type Piece =
  | ({ readonly kind: "copy" } & ExtentSlice)
  | { readonly kind: "write"; readonly slices: readonly ExtentSlice[]; readonly length: number };

const partBytesMin = limits.s3MultipartBytesMin;

/**
 * The pieces that one object is made of. A TooManyExtentsError when the store does not take as
 * many: with the parts as long as they are by default, from about 470 GiB on where it takes 10,000,
 * from about 8 GiB on where it takes 1,000.
 */
export function planObject(extents: readonly StoredExtent[], partsMax: number): Piece[] {
  const pieces = planPieces(extents);
  if (pieces.length <= partsMax) return pieces;
  throw new TooManyExtentsError(`one object has at most ${partsMax} parts, not ${pieces.length}`);
}

/** Divides a blob so that every piece but the last is as long as S3 wants its parts. */
export function planPieces(extents: readonly StoredExtent[]): Piece[] {
  const pieces: Piece[] = [];
  let slices: ExtentSlice[] = [];
  let length = 0;
  const add = (slice: ExtentSlice): void => {
    slices.push(slice);
    length += slice.to - slice.from;
  };
  const write = (): void => {
    if (length > 0) pieces.push({ kind: "write", slices, length });
    slices = [];
    length = 0;
  };
  for (const extent of extents) {
    const isCopyable = extent.key !== "" && extent.length >= partBytesMin;
    // What is too short to be a part borrows from the extent behind it.
    const borrowed = length === 0 ? 0 : Math.max(0, partBytesMin - length);
    if (isCopyable && extent.length - borrowed >= partBytesMin) {
      if (borrowed > 0) add({ extent, from: 0, to: borrowed });
      write();
      pieces.push({ kind: "copy", extent, from: borrowed, to: extent.length });
      continue;
    }
    add({ extent, from: 0, to: extent.length });
    if (length >= limits.s3RewriteBytes) write();
  }
  write();
  return pieces;
}
