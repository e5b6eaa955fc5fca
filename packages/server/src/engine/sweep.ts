import { limits } from "../base/limits.ts";
import type { EngineParts } from "./parts.ts";

const sweepBatch = 500;

export interface SweepReport {
  readonly expiredUploads: number;
  readonly removedKeys: number;
  readonly forgottenUploads: number;
}

/** Expires what is due, removes bytes that were doomed long enough ago, forgets old rows. */
export async function sweep(
  parts: EngineParts,
  options: { readonly dryRun: boolean },
): Promise<SweepReport> {
  const now = parts.clock.now();
  const { catalog } = parts;
  if (options.dryRun) {
    const expiring = await catalog.listExpiring(now, sweepBatch);
    const doomed = await catalog.listDoomed(now - limits.doomedMs, sweepBatch);
    return {
      expiredUploads: expiring.length,
      removedKeys: doomed.length,
      forgottenUploads: 0,
    };
  }
  const expired = await catalog.expireUploads(now, sweepBatch);
  const removedKeys = await removeDoomed(parts, now - limits.doomedMs);
  const forgottenUploads = await catalog.removeEndedUploads(now - limits.endedRowsMs);
  const report = { expiredUploads: expired.length, removedKeys, forgottenUploads };
  if (expired.length + removedKeys + forgottenUploads > 0) parts.log.info(report, "swept");
  return report;
}

/** Bytes first, then the row that allows it: a crash in between only repeats the removal. */
async function removeDoomed(parts: EngineParts, before: number): Promise<number> {
  const keys = await parts.catalog.listDoomed(before, sweepBatch);
  await parts.blobs.remove(keys);
  await parts.catalog.forgetDoomed(keys);
  return keys.length;
}
