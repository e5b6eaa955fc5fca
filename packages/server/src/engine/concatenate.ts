import { crc32OfRuns } from "../base/crc32.ts";
import { uploadError } from "../base/errors.ts";
import type { Extent, Upload } from "../catalog/records.ts";
import { assembleInBackground } from "./assemble.ts";
import { endingOf } from "./complete.ts";
import { createUpload, type CreateRequest } from "./create.ts";
import { asOf } from "./expiry.ts";
import type { EngineParts } from "./parts.ts";

export interface ConcatenateRequest extends Omit<
  CreateRequest,
  "length" | "completes" | "concatenates"
> {
  /** Ids of the app's own uploads, in order; one may come more than once. */
  readonly of: readonly string[];
}

/**
 * An upload made of others' bytes, at once and without a copy: it names their extents. Complete if
 * they all are; else it stays open, and completes when it is looked at and the last of them has.
 * What becomes of them later is nothing to it: a key's bytes stay while any blob names it.
 */
export async function concatenate(
  parts: EngineParts,
  request: ConcatenateRequest,
): Promise<Upload> {
  const { of, ...words } = request;
  const upload = await createUpload(parts, {
    ...words,
    length: undefined,
    completes: "when_told",
    concatenates: of,
  });
  if (!(await concatenateIfWhole(parts, upload))) return upload;
  return (await parts.catalog.findUpload(upload.id)) ?? upload;
}

/** Completes an upload that is made of others once all of them are; false when they are not. */
export async function concatenateIfWhole(parts: EngineParts, upload: Upload): Promise<boolean> {
  const sources = await wholeSources(parts, upload);
  if (sources === undefined) return false;
  const lease = await parts.leases.take(upload.id);
  try {
    if (lease.upload.state !== "open") return true;
    const extents = await joinedExtents(parts, sources);
    const length = extents.reduce((sum, extent) => sum + extent.length, 0);
    if (length > upload.lengthMax) {
      throw uploadError("length_exceeded", { offset: 0, length: upload.lengthMax });
    }
    const joined = { ...lease.upload, length, offset: length };
    const ending = await endingOf(parts, joined, { extents, head: new Uint8Array() });
    const outcome = await parts.catalog.advance({
      id: upload.id,
      blobId: upload.blobId,
      fence: lease.fence,
      from: 0,
      to: length,
      crc32: crc32OfRuns(extents),
      length,
      extents,
      replaced: [],
      at: parts.clock.now(),
      expiresAt: ending.state === "complete" ? ending.completion.handleExpiresAt : upload.expiresAt,
      ending,
    });
    if (outcome === "done" && ending.state === "complete") {
      await assembleInBackground(parts, upload.blobId);
    }
    return true;
  } finally {
    await lease.release();
  }
}

/** The uploads it is made of, if it is and they are all complete. */
async function wholeSources(
  parts: EngineParts,
  { concatenates, appId }: Upload,
): Promise<readonly Upload[] | undefined> {
  if (concatenates === undefined) return undefined;
  const now = parts.clock.now();
  const found = new Map<string, Upload>();
  for (const id of new Set(concatenates)) {
    const source = await parts.catalog.findUpload(id);
    if (source?.appId !== appId || asOf(source, now).state !== "complete") return undefined;
    found.set(id, source);
  }
  return concatenates.flatMap((id) => found.get(id) ?? []);
}

/** One after the other. The same key may so be named by several blobs, or twice by one. */
async function joinedExtents(parts: EngineParts, sources: readonly Upload[]): Promise<Extent[]> {
  const joined: Extent[] = [];
  let start = 0;
  for (const { blobId, offset } of sources) {
    const extents = await parts.catalog.listExtents(blobId);
    if (extents.reduce((sum, { length }) => sum + length, 0) !== offset) {
      // Somebody has just removed it: whoever asks again is told so.
      throw uploadError("upload_busy", { retryAfterSeconds: 1 });
    }
    for (const extent of extents) joined.push({ ...extent, start: start + extent.start });
    start += offset;
  }
  return joined;
}
