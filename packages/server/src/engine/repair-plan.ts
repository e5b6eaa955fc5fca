import type { BlobEpoch, BlobKey } from "../blobs/blob-store.ts";
import type { Extent } from "../catalog/records.ts";

export interface BlobEvidence {
  /** As the catalog has them, up to the offset. */
  readonly extents: readonly Extent[];
  readonly offset: number;
  /** How long the blob is to become. */
  readonly length: number;
  readonly epochs: readonly Omit<BlobEpoch, "blobId">[];
  /** All keys of the blob that the store holds. */
  readonly keys: readonly BlobKey[];
}

export interface RepairPlan {
  /** The whole list as it should be, in order; undefined when there is a problem. */
  readonly extents: readonly Extent[] | undefined;
  readonly problem: string | undefined;
  readonly offset: number;
  readonly added: readonly Extent[];
  /** Extents of the catalog whose bytes those added hold, too. */
  readonly replaced: readonly Extent[];
  /** Keys that may have been acknowledged and found no place in the list. */
  readonly unexplained: readonly BlobKey[];
}

interface Reach {
  /** Up to here the list is the catalog's own. */
  readonly kept: number;
  readonly steps: number;
  readonly last: { readonly extent: Extent; readonly before: Reach } | undefined;
}

interface Bounds {
  /** Up to where its keys can have been acknowledged. */
  readonly acknowledged: number;
  /** Up to where its keys are taken in. */
  readonly adopted: number;
}

/**
 * The longest chain of extents that leads on from what the catalog knows. What one epoch committed
 * ends where the next begins: its keys beyond that were never acknowledged, whoever's they look
 * like. Of the last epoch everything that is contiguous counts, unless no key of it was put after
 * its bytes were proven: nobody can tell then whether they were refused.
 */
export function planRepair(evidence: BlobEvidence): RepairPlan {
  const { extents, offset, keys } = evidence;
  const bounds = boundsOf(evidence);
  const isWithin = (key: BlobKey, bound: keyof Bounds): boolean =>
    endOf(key) <= (bounds.get(key.fence)?.[bound] ?? Infinity);
  const known = new Set(extents.map(({ key }) => key));
  const candidates = keys.filter((key) => isWithin(key, "acknowledged"));
  const stored = new Set(keys.map(({ key }) => key));
  const own = extents.filter(({ key }) => key === "" || stored.has(key));
  const strange = candidates.filter((key) => !known.has(key.key) && isWithin(key, "adopted"));
  const { end, path } = longestPath(own, strange.map(extentOf));
  const problem = problemOf(evidence, end);
  if (problem !== undefined) {
    const unexplained = candidates.filter(({ key }) => !known.has(key));
    return { extents: undefined, problem, offset, added: [], replaced: [], unexplained };
  }
  const used = new Set<Extent>(path);
  const named = new Set(path.map(({ key }) => key));
  return {
    extents: path,
    problem,
    offset: end,
    added: path.filter((extent) => !extents.includes(extent)),
    replaced: extents.filter((extent) => !used.has(extent)),
    unexplained: candidates.filter((key) => endOf(key) > end && !named.has(key.key)),
  };
}

function problemOf({ offset, length }: BlobEvidence, end: number): string | undefined {
  if (end < offset) return `bytes from ${end} on are missing, below the offset ${offset}`;
  return end > length ? `the store holds ${end} bytes of ${length}` : undefined;
}

/** Of each epoch, by its fence. */
function boundsOf({ epochs, keys }: BlobEvidence): Map<string, Bounds> {
  const byFence = new Map([...keys, ...epochs].map((epoch) => [epoch.fence, epoch]));
  const order = [...byFence.values()].sort(
    (one, other) => one.base - other.base || one.openedAt - other.openedAt,
  );
  const proven = new Set(keys.filter(({ isUnproven }) => !isUnproven).map(({ fence }) => fence));
  return new Map(
    order.map(({ fence, base }, index) => {
      const acknowledged = order[index + 1]?.base ?? Infinity;
      const isDoubtful = acknowledged === Infinity && !proven.has(fence);
      return [fence, { acknowledged, adopted: isDoubtful ? base : acknowledged }];
    }),
  );
}

/** From 0 as far as it goes; of several ways there, the one that keeps most of the catalog's list. */
function longestPath(
  own: readonly Extent[],
  strange: readonly Extent[],
): { readonly end: number; readonly path: readonly Extent[] } {
  const reached = new Map<number, Reach>([[0, { kept: 0, steps: 0, last: undefined }]]);
  const isOwn = new Set(own);
  const steps = [...own, ...strange].filter(({ length }) => length > 0);
  steps.sort((one, other) => one.start - other.start || other.length - one.length);
  for (const extent of steps) {
    const before = reached.get(extent.start);
    if (before === undefined) continue;
    const end = endOf(extent);
    const goesOn = before.kept === extent.start && isOwn.has(extent);
    const kept = goesOn ? end : before.kept;
    const reach = { kept, steps: before.steps + 1, last: { extent, before } };
    if (isBetter(reach, reached.get(end))) reached.set(end, reach);
  }
  const end = Math.max(...reached.keys());
  const path: Extent[] = [];
  for (let reach = reached.get(end); reach?.last !== undefined; reach = reach.last.before) {
    path.unshift(reach.last.extent);
  }
  return { end, path };
}

function isBetter(reach: Reach, than: Reach | undefined): boolean {
  if (than === undefined) return true;
  return reach.kept > than.kept || (reach.kept === than.kept && reach.steps < than.steps);
}

function extentOf({ key, start, length, crc32 }: BlobKey): Extent {
  return { key, start, length, crc32, inline: undefined };
}

function endOf({ start, length }: { readonly start: number; readonly length: number }): number {
  return start + length;
}
