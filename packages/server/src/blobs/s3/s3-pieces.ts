import { limits } from "../../base/limits.ts";
import { TooManyExtentsError, type StoredExtent } from "../blob-store.ts";
import type { S3Profile } from "./s3-profile.ts";

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
export function planObject(
  extents: readonly StoredExtent[],
  { partCopy, partsMax }: Pick<S3Profile, "partCopy" | "partsMax">,
): Piece[] {
  return noMoreThan(partsMax, planPieces(extents, partCopy));
}

function noMoreThan(partsMax: number, pieces: Piece[]): Piece[] {
  if (pieces.length <= partsMax) return pieces;
  throw new TooManyExtentsError(`one object has at most ${partsMax} parts, not ${pieces.length}`);
}

/**
 * Divides a blob so that every piece but the last is as long as S3 wants its parts. Where the store
 * copies no parts, all of them are read and written.
 */
export function planPieces(extents: readonly StoredExtent[], partCopy: boolean): Piece[] {
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
    const isCopyable = partCopy && extent.key !== "" && extent.length >= partBytesMin;
    // What is too short to be a part borrows from the extent behind it.
    const borrowed = length === 0 ? 0 : Math.max(0, partBytesMin - length);
    if (isCopyable && extent.length - borrowed >= partBytesMin) {
      if (borrowed > 0) add({ extent, from: 0, to: borrowed });
      write();
      const rest = { extent, from: borrowed, to: extent.length };
      for (const slice of evenly(rest, limits.s3CopyBytesMax)) {
        pieces.push({ kind: "copy", ...slice });
      }
      continue;
    }
    for (const slice of evenly({ extent, from: 0, to: extent.length }, limits.s3RewriteBytes)) {
      add(slice);
      if (length >= limits.s3RewriteBytes) write();
    }
  }
  write();
  return pieces;
}

/** For stores that want every piece but the last as long as the others. */
export function planEqually(
  extents: readonly StoredExtent[],
  { partCopy, partsMax }: Pick<S3Profile, "partCopy" | "partsMax">,
): Piece[] {
  const whole = extents.reduce((sum, extent) => sum + extent.length, 0);
  let each: number = limits.s3RewriteBytes;
  while (each * partsMax < whole && each < limits.s3MergesMemoryMax) each *= 2;
  const pieces: Piece[] = [];
  let slices: ExtentSlice[] = [];
  let length = 0;
  const end = (): void => {
    const [only, ...others] = slices;
    if (only === undefined) return;
    const { key, length: bytes } = only.extent;
    const isCopyable = partCopy && others.length === 0 && key !== "" && bytes >= partBytesMin;
    pieces.push(isCopyable ? { kind: "copy", ...only } : { kind: "write", slices, length });
    slices = [];
    length = 0;
  };
  for (const extent of extents) {
    for (let from = 0; from < extent.length;) {
      const to = Math.min(extent.length, from + each - length);
      slices.push({ extent, from, to });
      length += to - from;
      from = to;
      if (length === each) end();
    }
  }
  end();
  return noMoreThan(partsMax, pieces);
}

/** As few slices as there can be of at most so many bytes, all about as long. */
function* evenly({ extent, from, to }: ExtentSlice, bytesMax: number): Iterable<ExtentSlice> {
  const each = Math.ceil((to - from) / Math.ceil((to - from) / bytesMax));
  for (let at = from; at < to; at += each) yield { extent, from: at, to: Math.min(at + each, to) };
}
