import { limits } from "../../base/limits.ts";

/** How long a part is that begins at `offset`, where an upload's first parts have `firstBytes`. */
export function partBytesAt(offset: number, firstBytes: number): number {
  const steps = limits.s3LongerPartsFrom.filter((from) => offset >= from).length;
  return firstBytes * 2 ** steps;
}

/** Powers of the merge's width: extents of a tier become one of a higher tier. */
function tierOf(length: number): number {
  let tier = 0;
  for (let bound = limits.inlineBytesMax; length > bound; bound *= limits.s3MergeWidth) tier += 1;
  return tier;
}

export interface MergeQuestion {
  /** Lengths of the short extents at the blob's end, in order. */
  readonly short: readonly number[];
  /** Of what is to be stored next. */
  readonly length: number;
  readonly partBytes: number;
}

/**
 * How many of the last short extents should be stored together with what comes next. A byte that
 * is stored again always moves to a higher tier, or into a whole part: so it happens a few times
 * at most, and each tier keeps fewer extents than the merge is wide.
 */
export function mergeCount({ short, length, partBytes }: MergeQuestion): number {
  const all = short.reduce((sum, one) => sum + one, length);
  if (all >= partBytes || short.length >= limits.s3ShortExtentsMax) return short.length;
  let count = 0;
  let merged = length;
  for (;;) {
    const rest = short.slice(0, short.length - count);
    const smaller = lastOnes(rest, (tier) => tier < tierOf(merged));
    const same = lastOnes(rest, (tier) => tier === tierOf(merged));
    const group = smaller.length > 0 ? smaller : same;
    const isDue = smaller.length > 0 || same.length + 1 >= limits.s3MergeWidth;
    const added = group.reduce((sum, one) => sum + one, 0);
    // From half a part on, the next merge makes it whole anyway.
    if (!isDue || (merged + added) * 2 >= partBytes) return count;
    count += group.length;
    merged += added;
  }
}

function lastOnes(lengths: readonly number[], belongs: (tier: number) => boolean): number[] {
  const first = lengths.findLastIndex((length) => !belongs(tierOf(length)));
  return lengths.slice(first + 1);
}
