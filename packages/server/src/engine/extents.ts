import { uploadError } from "../base/errors.ts";
import type { Appender } from "../blobs/blob-store.ts";
import type { Extent, Upload } from "../catalog/records.ts";
import type { Lease } from "./lease.ts";
import type { EngineParts } from "./parts.ts";

export interface BlobEnd {
  readonly lease: Lease;
  /** As it is committed now. */
  readonly upload: Upload;
  readonly extents: readonly Extent[];
  /** Whether what is written is still to be proven; nothing is when left out. */
  readonly isUnproven?: (() => boolean) | undefined;
}

/** Opens a blob's end under the lease's own epoch, which the catalog knows before the store does. */
export async function openAppender(
  { blobs, catalog }: Pick<EngineParts, "blobs" | "catalog">,
  { lease, upload, extents, isUnproven }: BlobEnd,
): Promise<Appender> {
  const { id, blobId, offset } = upload;
  const epoch = { fence: lease.fence, blobId, base: offset, openedAt: lease.takenAt };
  if (blobs.properties.needsEpochs) {
    await catalog.openEpoch({ ...epoch, uploadId: id, looks: 0 });
  }
  return await blobs.openAppender({ epoch, extents, offset, isUnproven });
}

/**
 * The lease, taken after every epoch of its blob that is known: clocks of nodes disagree, and of
 * epochs that begin at the same offset the last alone has committed anything. Fails with
 * `superseded` where one of them may belong to who has taken the lease over meanwhile.
 */
export async function inOrder(
  parts: Pick<EngineParts, "blobs" | "catalog" | "clock">,
  lease: Lease,
): Promise<Lease> {
  if (!parts.blobs.properties.needsEpochs) return lease;
  const epochs = await parts.catalog.listEpochs(lease.upload.blobId);
  const latest = epochs.reduce((most, { openedAt }) => Math.max(most, openedAt), -1);
  if (latest < lease.takenAt) return lease;
  await refuseLost(parts, lease);
  return { ...lease, takenAt: latest + 1 };
}

/** A commit of nothing: what was listed before it was there before the lease, or is the lease's own. */
async function refuseLost(
  { catalog, clock }: Pick<EngineParts, "catalog" | "clock">,
  { fence, upload }: Lease,
): Promise<void> {
  const { id, blobId, offset, crc32, expiresAt } = upload;
  const outcome = await catalog.advance({
    ...{ id, blobId, fence, from: offset, to: offset, crc32, expiresAt },
    extents: [],
    replaced: [],
    at: clock.now(),
    ending: undefined,
  });
  if (outcome === "stale") throw uploadError("superseded", { offset });
}

/** Later extents replace those with the same start: they are the same run, grown. */
export function mergeExtents(
  known: readonly Extent[],
  added: readonly Extent[],
  replaced: readonly Extent[],
): Extent[] {
  const starts = new Set([...added, ...replaced].map((extent) => extent.start));
  return [...known.filter((extent) => !starts.has(extent.start)), ...added];
}

/** Keys of these runs that none of the committed ones has. */
export function newKeys(extents: readonly Extent[], committed: readonly Extent[]): string[] {
  const known = new Set(committed.map(({ key }) => key));
  return extents.map(({ key }) => key).filter((key) => key !== "" && !known.has(key));
}
