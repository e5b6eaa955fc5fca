import type { Body, BodyEnding } from "../base/body.ts";
import { UploadError, uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Upload } from "../catalog/records.ts";
import { AppendRun } from "./append-run.ts";
import { assembleInBackground } from "./assemble.ts";
import { damage } from "./damage.ts";
import { declaredLength, type AppendCompletion } from "./append-length.ts";
import { BodyDigest, type ExpectedDigest } from "./body-digest.ts";
import { sha256OfUpload } from "./digest.ts";
import { asOf } from "./expiry.ts";
import { inOrder } from "./extents.ts";
import type { Lease } from "./lease.ts";
import type { EngineParts } from "./parts.ts";

export interface AppendRequest {
  readonly id: string;
  readonly offset: number;
  readonly body: Body;
  /** When this request completes the upload; by default when it reaches its length. */
  readonly completes?: AppendCompletion;
  /** The whole length, where the sender says it. */
  readonly length?: number | undefined;
  /** What the body must be; undefined takes it as it comes. */
  readonly digest?: ExpectedDigest | undefined;
  /** What the whole must be, in hex: else it becomes rejected. Kept with the upload. */
  readonly sha256?: string | undefined;
  /** Told the offset after every commit. */
  readonly onDurable?: ((offset: number) => void) | undefined;
  /** The protocol it came in, for who watches. */
  readonly dialect?: string;
  /** Asked again before the upload completes: a token may have been revoked meanwhile. */
  readonly authorise: () => Promise<void>;
}

/**
 * Adds bytes at the current offset. Returns the upload as it stands: complete when its last byte
 * came with a body that ended cleanly. Whatever was received counts, also when this fails.
 */
export async function append(parts: EngineParts, request: AppendRequest): Promise<Upload> {
  const lease = await parts.leases.take(request.id);
  const { upload, yielding } = lease;
  const { body } = request;
  try {
    refuseUnfit(request, asOf(upload, parts.clock.now()));
    yielding.onAsked(() => {
      body.stop();
    });
    yielding.reads(body);
    if (upload.state === "complete") return await replay(parts, lease, request);
    const run = new AppendRun(parts, await inOrder(parts, lease), request);
    const { ending, upload: after } = await run.consume(body);
    if (after.state === "rejected") {
      throw uploadError("content_rejected", { reason: after.reason ?? "its content was rejected" });
    }
    if (after.state === "complete") await assembleInBackground(parts, after.blobId);
    if (ending === "clean") return after;
    throw endedEarly(ending, after.offset, yielding.isAsked);
  } catch (error) {
    const isDamage = error instanceof UploadError && error.code === "upload_damaged";
    if (isDamage && upload.state === "open") {
      await damage(parts, lease, "bytes below the offset are missing");
    }
    throw error;
  } finally {
    await lease.release();
  }
}

const { unprovenBytesMax } = limits;

function refuseUnfit(request: AppendRequest, upload: Upload): void {
  refuseEnded(upload);
  const { offset, lengthMax, concatenates } = upload;
  if (concatenates !== undefined) {
    throw uploadError("not_appendable", { reason: "it is made of other uploads" });
  }
  const { offset: provided, sha256 = upload.sha256 } = request;
  if (provided !== offset) throw uploadError("offset_mismatch", { offset, provided });
  if (request.digest !== undefined && (request.body.announcedLength ?? 0) > unprovenBytesMax) {
    throw uploadError("unproven_too_long", { offset, bytesMax: unprovenBytesMax });
  }
  if (upload.sha256 !== undefined && sha256 !== upload.sha256) {
    throw uploadError("digest_inconsistent", { offset });
  }
  const length = upload.length ?? lengthMax;
  const declared = declaredLength(request) ?? length;
  const { announcedLength = 0 } = request.body;
  if (Math.max(declared, offset + announcedLength) > length) {
    throw uploadError("length_exceeded", { offset, length });
  }
  if ((upload.length !== undefined && declared !== length) || declared < offset) {
    throw uploadError("length_inconsistent", { offset, length, provided: declared });
  }
}

/** An upload that ended without completing answers every append alike. */
export function refuseEnded(upload: Upload): void {
  switch (upload.state) {
    case "open":
    case "complete":
      return;
    case "rejected":
      throw uploadError("content_rejected", {
        reason: upload.reason ?? "its content was rejected",
      });
    case "damaged":
      throw uploadError("upload_damaged", { offset: upload.offset });
    case "cancelled":
    case "expired":
      throw uploadError("upload_gone", { state: upload.state });
  }
}

/** A repeat after completion: an empty body gets the first answer again, if it is what was said. */
async function replay(
  parts: EngineParts,
  { upload, yielding }: Lease,
  { body, digest, sha256 }: AppendRequest,
): Promise<Upload> {
  const { offset } = upload;
  const batch = await body.next();
  if (batch.kind === "bytes") throw uploadError("length_exceeded", { offset, length: offset });
  if (batch.ending !== "clean") throw endedEarly(batch.ending, offset, yielding.isAsked);
  if (digest !== undefined && !new BodyDigest(digest).matches()) {
    throw uploadError("digest_mismatch", { offset, algorithm: digest.algorithm });
  }
  if (sha256 === undefined) return upload;
  // Nobody is to wait until all of a large upload was read through.
  const reading = new AbortController();
  yielding.onAsked(() => {
    reading.abort(uploadError("superseded", { offset }));
  });
  const known = await sha256OfUpload(parts, upload, reading.signal);
  if (known !== sha256) throw uploadError("digest_inconsistent", { offset });
  return upload;
}

function endedEarly(
  ending: Exclude<BodyEnding, "clean">,
  offset: number,
  yielded: boolean,
): UploadError {
  switch (ending) {
    case "cut":
      return uploadError("body_cut", { offset });
    case "silent":
    case "slow":
      return uploadError("body_too_slow", { offset });
    case "stopped":
      return yielded ? uploadError("superseded", { offset }) : uploadError("draining", { offset });
  }
}
