import { crc32 } from "../base/crc32.ts";
import { asError, UploadError, uploadError } from "../base/errors.ts";
import { sha256Of as hashOf } from "../base/sha256.ts";
import type { PublishedFile, Upload } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";
import { readBlob } from "./read.ts";

/** The file's SHA-256 in hex: read through once, then remembered. */
export async function sha256Of(
  parts: EngineParts,
  file: PublishedFile,
  signal?: AbortSignal,
): Promise<string> {
  if (file.sha256 !== undefined) return file.sha256;
  const sha256 = await readThrough(parts, file, signal);
  await parts.catalog.setFileSha256(file.id, sha256);
  return sha256;
}

/** The SHA-256 of a complete upload in hex: known where it was proven, else as a file's. */
export async function sha256OfUpload(
  parts: EngineParts,
  { id, blobId, offset: size, crc32, sha256: known }: Upload,
  signal?: AbortSignal,
): Promise<string> {
  if (known !== undefined) return known;
  const sha256 = await readTogether(parts, { blobId, size, crc32 }, signal);
  await parts.catalog.setUploadSha256(id, sha256);
  return sha256;
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
    return await readTogether(parts, file, signal);
  } catch (error) {
    await refuseDeleted(parts, file);
    throw error;
  }
}

type Acknowledged = Pick<PublishedFile, "blobId" | "size" | "crc32">;

/** A blob that is being read through, for all who asked for its digest meanwhile. */
interface Reading {
  readonly sha256: Promise<string>;
  readonly abort: AbortController;
  askers: number;
}

/** By the blobs' ids, which no two blobs share. */
const readings = new Map<string, Reading>();

/** Rejects with the signal's reason when that is aborted; who goes last ends the reading. */
async function readTogether(
  parts: EngineParts,
  blob: Acknowledged,
  signal?: AbortSignal,
): Promise<string> {
  signal?.throwIfAborted();
  const reading = readings.get(blob.blobId) ?? beginReading(parts, blob);
  reading.askers += 1;
  try {
    return await unlessAborted(reading.sha256, signal);
  } finally {
    reading.askers -= 1;
    if (reading.askers === 0) {
      readings.delete(blob.blobId);
      reading.abort.abort();
      await reading.sha256.catch(() => undefined);
    }
  }
}

function beginReading(parts: EngineParts, blob: Acknowledged): Reading {
  const abort = new AbortController();
  const reading = { sha256: readAcknowledged(parts, blob, abort.signal), abort, askers: 0 };
  readings.set(blob.blobId, reading);
  return reading;
}

async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return await work;
  const aborted = Promise.withResolvers<never>();
  const stop = (): void => {
    aborted.reject(asError(signal.reason));
  };
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Only of the bytes that were acknowledged: whoever asks for a digest wants to find out when others
 * are read, not to have their digest.
 */
async function readAcknowledged(
  parts: EngineParts,
  { blobId, size, crc32: acknowledged }: Acknowledged,
  signal: AbortSignal,
): Promise<string> {
  let crc = 0;
  async function* pieces(): AsyncIterable<Uint8Array> {
    for await (const piece of readBlob(parts, blobId, { from: 0, to: size })) {
      signal.throwIfAborted();
      crc = crc32(piece, crc);
      yield piece;
    }
  }
  const sha256 = await hashOf(pieces(), size, signal);
  if (crc !== acknowledged) throw uploadError("upload_damaged", { offset: size });
  return sha256;
}

/** A file that was deleted meanwhile has no bytes any more, and that is nobody's fault. */
async function refuseDeleted(parts: EngineParts, { id }: PublishedFile): Promise<void> {
  if ((await parts.catalog.findFile(id)) === undefined)
    throw uploadError("node_unknown", { node: id });
}
