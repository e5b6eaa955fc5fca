import { asError, UploadError } from "../base/errors.ts";
import { CatalogFullError } from "../catalog/catalog.ts";
import type { Upload } from "../catalog/records.ts";
import { completeLeftOpen } from "./complete.ts";
import { damage } from "./damage.ts";
import type { EngineParts } from "./parts.ts";

const cleanMark = "last-clean-stop";

export interface RecoverReport {
  readonly cleanStart: boolean;
  readonly checked: number;
  readonly damaged: readonly string[];
  /** Uploads whose bytes could not be looked at: they stay as they are. */
  readonly unreadable: readonly string[];
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
  const unreadable = new Set<string>();
  for (const upload of suspects) {
    const found = await look(parts, upload);
    if (found === "damaged") damaged.push(upload.id);
    if (found === "unreadable") unreadable.add(upload.id);
  }
  let completed = 0;
  for (const { id } of await parts.catalog.listUncompleted(1_000)) {
    const outcome = await complete(parts, id);
    if (outcome === "completed") completed += 1;
    if (outcome === "unreadable") unreadable.add(id);
  }
  // Suspects reach back to the last clean stop, however many crashes lie in between.
  const from = cleanStart ? String(parts.clock.now()) : (since ?? "0");
  await parts.catalog.writeMark(cleanMark, `running:${from}`).catch((error: unknown) => {
    // What it says after an unclean stop holds for this run as well.
    if (cleanStart || !(error instanceof CatalogFullError)) throw error;
  });
  const checked = suspects.length;
  return { cleanStart, checked, damaged, unreadable: [...unreadable], completed };
}

/** Says that everything was closed in order: the next start has nothing to check. */
export async function markCleanStop(parts: EngineParts): Promise<void> {
  try {
    await parts.catalog.writeMark(cleanMark, `clean:${parts.clock.now()}`);
  } catch (error) {
    if (!(error instanceof CatalogFullError)) throw error;
    parts.log.warn({}, "there is no room to say that all was closed: the next start will check");
  }
}

/** A file that cannot be looked at is not known to be damaged, and concerns no other upload. */
async function look(
  parts: EngineParts,
  { id, blobId }: Upload,
): Promise<"whole" | "damaged" | "unreadable"> {
  for (const extent of await parts.catalog.listExtents(blobId)) {
    if (extent.inline !== undefined) continue;
    try {
      if (await parts.blobs.isWhole(extent)) continue;
    } catch (error) {
      tellUnreadable(parts, id, error);
      return "unreadable";
    }
    const lease = await parts.leases.take(id);
    try {
      await damage(parts, lease, "bytes below the offset are missing");
    } finally {
      await lease.release();
    }
    return "damaged";
  }
  return "whole";
}

/** What is not completed now is tried again by whoever asks for it next. */
async function complete(
  parts: EngineParts,
  id: string,
): Promise<"completed" | "unreadable" | "no room"> {
  try {
    await completeLeftOpen(parts, id);
    return "completed";
  } catch (error) {
    if (error instanceof CatalogFullError) return "no room";
    if (!(error instanceof UploadError)) throw error;
    // Another node has taken it, and completes it.
    if (error.code === "superseded" || error.code === "upload_busy") return "completed";
    if (error.code !== "storage_failed") throw error;
    tellUnreadable(parts, id, error);
    return "unreadable";
  }
}

function tellUnreadable({ log }: EngineParts, upload: string, error: unknown): void {
  log.error({ err: asError(error), upload }, "an upload's bytes cannot be read");
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
