import type { BlobKey } from "../blobs/blob-store.ts";
import type { Upload } from "../catalog/records.ts";
import { everyUpload } from "./look-up.ts";
import type { EngineParts } from "./parts.ts";

export async function keysOf(parts: EngineParts, blobId: string): Promise<BlobKey[]> {
  const keys: BlobKey[] = [];
  for await (const key of parts.blobs.listBlobKeys(blobId)) keys.push(key);
  return keys;
}

/**
 * Epochs that the catalog does not know are put back, so that sweeping finds what was never
 * committed under them. One with keys that nobody can explain is forgotten instead: they stay.
 */
export async function settleEpochs(
  parts: EngineParts,
  { id, blobId }: { readonly id: string | undefined; readonly blobId: string },
  found: { readonly keys: readonly BlobKey[]; readonly unexplained: readonly BlobKey[] },
): Promise<void> {
  const kept = new Set(found.unexplained.map(({ fence }) => fence));
  const { catalog, clock } = parts;
  for (const fence of kept) await catalog.noteEpochLook(fence, undefined);
  const known = new Set((await catalog.listEpochs(blobId)).map(({ fence }) => fence));
  for (const { fence, base, openedAt } of found.keys) {
    if (kept.has(fence) || known.has(fence)) continue;
    known.add(fence);
    await catalog.openEpoch({ fence, blobId, uploadId: id, base, openedAt, looks: 0 });
    // An epoch of a lease is over when that is; this one was over before the catalog was restored.
    if (id === undefined) await catalog.closeEpoch(fence, clock.now());
  }
}

/** Uploads that came to nothing: whatever was made for them since is needed by nobody. */
export async function settleEnded(parts: EngineParts): Promise<void> {
  for (const { id: appId } of await parts.catalog.listApps()) {
    for (const state of ["cancelled", "expired", "rejected"] as const) {
      for await (const upload of everyUpload(parts, { appId, state })) {
        await settleOneEnded(parts, upload);
      }
    }
  }
}

async function settleOneEnded(parts: EngineParts, upload: Upload): Promise<void> {
  // A file may still show its bytes.
  if ((await parts.catalog.listExtents(upload.blobId)).length > 0) return;
  await settleEpochs(parts, upload, { keys: await keysOf(parts, upload.blobId), unexplained: [] });
}
