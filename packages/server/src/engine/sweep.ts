import { limits } from "../base/limits.ts";
import { inBatches } from "./in-batches.ts";
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
  /** Changes nothing, and counts up to one batch of each. */
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
  const expiredUploads = await expireDue(parts, now, signal);
  const removedKeys = await removeDoomed(parts, now, signal);
  const removedOrphans = await sweepOrphans(parts, signal);
  const forgottenUploads = await catalog.removeEndedUploads(now - limits.endedRowsMs);
  const counts = { expiredUploads, removedKeys, removedOrphans, forgottenUploads };
  if (Object.values(counts).some((count) => count > 0)) parts.log.info(counts, "swept");
  return { ...counts, refusal };
}

const nothing = { expiredUploads: 0, removedKeys: 0, removedOrphans: 0, forgottenUploads: 0 };

async function expireDue(
  parts: EngineParts,
  now: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  return await inBatches(parts, signal, async () => {
    const { length } = await parts.catalog.expireUploads(now, sweepBatch);
    return { done: length, more: length === sweepBatch };
  });
}

/** Bytes first, then the row that allows it: a crash in between only repeats the removal. */
async function removeDoomed(
  parts: EngineParts,
  now: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { catalog } = parts;
  return await inBatches(parts, signal, async () => {
    const keys = await catalog.listDoomed(now - limits.doomedMs, sweepBatch);
    const left = new Set(await removeKeys(parts, keys, "the store keeps keys that are doomed"));
    const removed = keys.filter((key) => !left.has(key));
    await catalog.forgetDoomed(removed);
    // As if they were doomed now: what is due behind them has its turn before they have theirs again.
    await catalog.putOffDoomed([...left], now);
    return { done: removed.length, more: keys.length === sweepBatch };
  });
}
