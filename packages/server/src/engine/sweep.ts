import { limits } from "../base/limits.ts";
import type { EngineParts } from "./parts.ts";
import { removeKeys } from "./remove-keys.ts";
import { sweepOrphans } from "./sweep-orphans.ts";

const sweepBatch = 500;

export interface SweepReport {
  readonly expiredUploads: number;
  readonly removedKeys: number;
  /** Keys that were made and never committed; a dry run does not look for them. */
  readonly removedOrphans: number;
  readonly forgottenUploads: number;
  /** Why nothing of all this may be done; undefined when it may. */
  readonly refusal: string | undefined;
}

export interface SweepOptions {
  readonly dryRun: boolean;
  /** Ends the sweep between two steps: what is left is due at the next one. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Expires what is due, removes bytes that were doomed long enough ago and keys that no commit can
 * name any more, forgets old rows. With a catalog that cannot be believed nothing of it happens:
 * what is expired or ended there may have been renewed since.
 */
export async function sweep(
  parts: EngineParts,
  { dryRun, signal }: SweepOptions,
): Promise<SweepReport> {
  const now = parts.clock.now();
  const { catalog, removalGuard } = parts;
  if (dryRun) {
    const expiring = await catalog.listExpiring(now, sweepBatch);
    const doomed = await catalog.listDoomed(now - limits.doomedMs, sweepBatch);
    return {
      expiredUploads: expiring.length,
      removedKeys: doomed.length,
      removedOrphans: 0,
      forgottenUploads: 0,
      refusal: await removalGuard.refusal(),
    };
  }
  const refusal = await removalGuard.countSweep();
  if (refusal !== undefined) {
    parts.log.error({ refusal }, "nothing is removed until an operator allows it");
    return { ...nothing, refusal };
  }
  const expired = await catalog.expireUploads(now, sweepBatch);
  const removedKeys = await removeDoomed(parts, now, signal);
  const removedOrphans = await sweepOrphans(parts, signal);
  const forgottenUploads = await catalog.removeEndedUploads(now - limits.endedRowsMs);
  const counts = { expiredUploads: expired.length, removedKeys, removedOrphans, forgottenUploads };
  if (Object.values(counts).some((count) => count > 0)) parts.log.info(counts, "swept");
  return { ...counts, refusal };
}

const nothing = { expiredUploads: 0, removedKeys: 0, removedOrphans: 0, forgottenUploads: 0 };

/** Bytes first, then the row that allows it: a crash in between only repeats the removal. */
async function removeDoomed(
  parts: EngineParts,
  now: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { catalog, removalGuard } = parts;
  let count = 0;
  while (!signal?.aborted) {
    const keys = await catalog.listDoomed(now - limits.doomedMs, sweepBatch);
    const left = new Set(await removeKeys(parts, keys, "the store keeps keys that are doomed"));
    const removed = keys.filter((key) => !left.has(key));
    await catalog.forgetDoomed(removed);
    count += removed.length;
    if (left.size === 0) return count;
    // As if they were doomed now: what is due behind them has its turn before they have theirs again.
    await catalog.putOffDoomed([...left], now);
    if (keys.length < sweepBatch || (await removalGuard.refusal()) !== undefined) return count;
  }
  return count;
}
