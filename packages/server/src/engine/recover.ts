import type { Upload } from "../catalog/records.ts";
import { completeLeftOpen } from "./complete.ts";
import { damage } from "./damage.ts";
import type { EngineParts } from "./parts.ts";

const cleanMark = "last-clean-stop";

export interface RecoverReport {
  readonly cleanStart: boolean;
  readonly checked: number;
  readonly damaged: readonly string[];
  readonly completed: number;
}

/**
 * Before listening: what may have been written since the last clean stop is compared with its
 * bytes, and completions that a crash left undone are done.
 */
export async function recover(parts: EngineParts): Promise<RecoverReport> {
  const mark = await parts.catalog.readMark(cleanMark);
  const [state, since] = (mark ?? "clean:0").split(":");
  const cleanStart = state === "clean";
  // Keys of their own, once committed, are whole: nothing that a crash touched needs a look.
  const nothingToCheck = cleanStart || parts.blobs.properties.needsEpochs;
  const suspects = nothingToCheck ? [] : await parts.catalog.listOpenSince(Number(since));
  const damaged: string[] = [];
  for (const upload of suspects) {
    if (await isDamaged(parts, upload)) damaged.push(upload.id);
  }
  const uncompleted = await parts.catalog.listUncompleted(1_000);
  for (const upload of uncompleted) await completeLeftOpen(parts, upload.id);
  // Suspects reach back to the last clean stop, however many crashes lie in between.
  const from = cleanStart ? String(parts.clock.now()) : (since ?? "0");
  await parts.catalog.writeMark(cleanMark, `running:${from}`);
  return { cleanStart, checked: suspects.length, damaged, completed: uncompleted.length };
}

/** Says that everything was closed in order: the next start has nothing to check. */
export async function markCleanStop(parts: EngineParts): Promise<void> {
  await parts.catalog.writeMark(cleanMark, `clean:${parts.clock.now()}`);
}

async function isDamaged(parts: EngineParts, upload: Upload): Promise<boolean> {
  const extents = await parts.catalog.listExtents(upload.blobId);
  for (const extent of extents) {
    if (extent.inline !== undefined || (await parts.blobs.isWhole(extent))) continue;
    const lease = await parts.leases.take(upload.id);
    try {
      await damage(parts, lease, "bytes below the offset are missing");
    } finally {
      await lease.release();
    }
    return true;
  }
  return false;
}

/** In the background: keys that no row names are set aside and reported, never removed. */
export async function quarantineOrphans(parts: EngineParts, signal: AbortSignal): Promise<number> {
  // Elsewhere a key without a row may be another process's, about to be committed.
  if (parts.blobs.properties.needsEpochs) return 0;
  let orphans = 0;
  for await (const key of parts.blobs.listOlderKeys()) {
    if (signal.aborted) break;
    if ((await parts.catalog.knownKeys([key])).has(key)) continue;
    // The sweeper may have removed it between the two looks.
    if (!(await parts.blobs.quarantine(key))) continue;
    parts.log.warn({ key }, "bytes without a row were set aside in quarantine");
    orphans += 1;
  }
  return orphans;
}
