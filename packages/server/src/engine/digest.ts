import { crc32 } from "../base/crc32.ts";
import { asError, UploadError, uploadError } from "../base/errors.ts";
import { sha256Of as hashOf } from "../base/sha256.ts";
import type { PublishedFile, Upload } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";
import { readBlob } from "./read.ts";

/** The file's SHA-256 in hex: read through once, then remembered. */
export async function sha256Of(parts: EngineParts, file: PublishedFile): Promise<string> {
  if (file.sha256 !== undefined) return file.sha256;
  const sha256 = await readThrough(parts, file);
  await parts.catalog.setFileSha256(file.id, sha256);
  return sha256;
}

/** The SHA-256 of a complete upload in hex: known where it was proven, else read through. */
export async function sha256OfUpload(
  parts: EngineParts,
  { blobId, offset: size, crc32, sha256 }: Upload,
): Promise<string> {
  return sha256 ?? (await readAcknowledged(parts, { blobId, size, crc32 }));
}

export interface DigestRun {
  /** Files that could not be read: this process does not try them again. Added to. */
  readonly unreadable: Set<string>;
  readonly signal: AbortSignal;
}

/**
 * Computes what is due by the apps' digest policies, one file after the other. What is due is read
 * from the rows: a process that ends in between, or a policy that changes, leaves nothing behind.
 */
export async function digestDue(
  parts: EngineParts,
  { unreadable, signal }: DigestRun,
): Promise<void> {
  for (;;) {
    // One more than there are unreadable ones has another among them, if there is another.
    const due = await parts.catalog.listUndigested(unreadable.size + 1);
    const file = due.find(({ id }) => !unreadable.has(id));
    if (file === undefined) return;
    let sha256: string;
    try {
      sha256 = await readThrough(parts, file, signal);
    } catch (error) {
      if (signal.aborted) return;
      // Deleted meanwhile: it is not due any more.
      if (error instanceof UploadError && error.code === "node_unknown") continue;
      unreadable.add(file.id);
      parts.log.error({ file: file.id, err: asError(error) }, "a file's SHA-256 is not to be had");
      continue;
    }
    await parts.catalog.setFileSha256(file.id, sha256);
  }
}

async function readThrough(
  parts: EngineParts,
  file: PublishedFile,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return await readAcknowledged(parts, file, signal);
  } catch (error) {
    await refuseDeleted(parts, file);
    throw error;
  }
}

/**
 * Only of the bytes that were acknowledged: whoever asks for a digest wants to find out when others
 * are read, not to have their digest.
 */
async function readAcknowledged(
  parts: EngineParts,
  { blobId, size, crc32: acknowledged }: Pick<PublishedFile, "blobId" | "size" | "crc32">,
  signal?: AbortSignal,
): Promise<string> {
  let crc = 0;
  async function* pieces(): AsyncIterable<Uint8Array> {
    for await (const piece of readBlob(parts, blobId, { from: 0, to: size })) {
      signal?.throwIfAborted();
      crc = crc32(piece, crc);
      yield piece;
    }
  }
  const sha256 = await hashOf(pieces(), size);
  if (crc !== acknowledged) throw uploadError("upload_damaged", { offset: size });
  return sha256;
}

/** A file that was deleted meanwhile has no bytes any more, and that is nobody's fault. */
async function refuseDeleted(parts: EngineParts, { id }: PublishedFile): Promise<void> {
  if ((await parts.catalog.findFile(id)) === undefined)
    throw uploadError("node_unknown", { node: id });
}
