import { asError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Epoch } from "../catalog/records.ts";
import { inBatches } from "./in-batches.ts";
import type { EngineParts } from "./parts.ts";
import { removeKeys } from "./remove-keys.ts";

const keptOrphans = "the store keeps keys that nothing was committed of";

const epochsBatch = 100;
const keysBatch = 500;

/**
 * Removes keys under closed epochs that no row names: no commit can name them any more. Each epoch
 * is looked at several times, because a put can land long after its writer gave up on it.
 */
export async function sweepOrphans(parts: EngineParts, signal?: AbortSignal): Promise<number> {
  if (!parts.blobs.properties.needsEpochs) return 0;
  const [firstLookMs = 0] = limits.orphanLooksMs;
  const now = parts.clock.now();
  const closedBefore = now - firstLookMs;
  // They stay due, and the others have their turn.
  const failed = new Set<string>();
  return await inBatches(parts, signal, async () => {
    const limit = epochsBatch + failed.size;
    const due = await parts.catalog.listEpochsDue({ now, closedBefore, limit });
    const epochs = due.filter(({ fence }) => !failed.has(fence));
    let done = 0;
    for (const epoch of epochs) {
      if (signal?.aborted) break;
      const removed = await lookOnce(parts, epoch, signal);
      if (removed === undefined) failed.add(epoch.fence);
      else done += removed;
    }
    // Where not one can be looked at, the store is away.
    const isAway = epochs.every(({ fence }) => failed.has(fence));
    return { done, more: epochs.length >= epochsBatch && !isAway };
  });
}

/** How many keys it removed; undefined when the look was not one. */
async function lookOnce(
  parts: EngineParts,
  epoch: Epoch,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const [firstLookMs = 0] = limits.orphanLooksMs;
  const { catalog, clock, log } = parts;
  try {
    const { removed, left } = await lookAt(parts, epoch, signal);
    // Those due behind it have their turn before it has its own again.
    if (left > 0) await catalog.putOffEpochLook(epoch.fence, clock.now() + firstLookMs);
    else await noteLook(parts, epoch);
    return removed;
  } catch (error) {
    if (signal?.aborted) return undefined;
    const facts = { err: asError(error), epoch: epoch.fence };
    log.warn(facts, "an epoch's keys could not be looked at");
    return undefined;
  }
}

/** Numbers of keys. */
interface Look {
  removed: number;
  /** Those that the store keeps, such as what is locked. */
  left: number;
}

async function lookAt(
  parts: EngineParts,
  epoch: Epoch,
  signal: AbortSignal | undefined,
): Promise<Look> {
  const look: Look = { removed: 0, left: 0 };
  let batch: string[] = [];
  // First what was begun: nothing of it may become a key after the keys were listed.
  await parts.blobs.abandon(epoch);
  for await (const key of parts.blobs.listKeys(epoch)) {
    batch.push(key);
    if (batch.length < keysBatch) continue;
    await removeUnknown(parts, batch, look);
    signal?.throwIfAborted();
    batch = [];
  }
  await removeUnknown(parts, batch, look);
  return look;
}

/** Adds to the look what became of the keys. */
async function removeUnknown(
  parts: EngineParts,
  keys: readonly string[],
  look: Look,
): Promise<void> {
  if (keys.length === 0) return;
  // Asked again for every batch: an operator may hold removal while a long listing goes on.
  const refusal = await parts.removalGuard.refusal();
  if (refusal !== undefined) throw new Error(refusal);
  const known = await parts.catalog.knownKeys(keys);
  const orphans = keys.filter((key) => !known.has(key));
  if (orphans.length === 0) return;
  const left = new Set(await removeKeys(parts, orphans, keptOrphans));
  const removed = orphans.filter((key) => !left.has(key));
  look.removed += removed.length;
  look.left += left.size;
  if (removed.length === 0) return;
  parts.log.info({ keys: removed }, "keys were removed that nothing was committed of");
}

/** Two nodes may have looked at once; only one of them counts the look. */
async function noteLook(parts: EngineParts, { fence, blobId, looks }: Epoch): Promise<void> {
  const current = (await parts.catalog.listEpochs(blobId)).find((epoch) => epoch.fence === fence);
  if (current?.looks !== looks) return;
  const waitMs = limits.orphanLooksMs[looks + 1];
  const nextAt = waitMs === undefined ? undefined : parts.clock.now() + waitMs;
  await parts.catalog.noteEpochLook(fence, nextAt);
}
