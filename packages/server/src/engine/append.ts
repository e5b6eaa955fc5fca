import type { Body, BodyEnding } from "../base/body.ts";
import { UploadError, uploadError } from "../base/errors.ts";
import type { Upload } from "../catalog/records.ts";
import { AppendRun } from "./append-run.ts";
import { assembleInBackground } from "./assemble.ts";
import { damage } from "./damage.ts";
import { asOf } from "./expiry.ts";
import type { Lease } from "./lease.ts";
import type { EngineParts } from "./parts.ts";

export interface AppendRequest {
  readonly id: string;
  readonly offset: number;
  readonly body: Body;
  /** Asked again before the upload completes: a token may have been revoked meanwhile. */
  readonly authorise: () => Promise<void>;
}

/**
 * Adds bytes at the current offset. Returns the upload as it stands: complete when its last byte
 * came with a body that ended cleanly. Whatever was received counts, also when this fails.
 */
export async function append(parts: EngineParts, request: AppendRequest): Promise<Upload> {
  const lease = await parts.leases.take(request.id);
  try {
    return await appendUnderLease(parts, request, lease);
  } catch (error) {
    if (error instanceof UploadError && error.code === "upload_damaged") {
      await damage(parts, lease, "bytes below the offset are missing");
    }
    throw error;
  } finally {
    await lease.release();
  }
}

async function appendUnderLease(
  parts: EngineParts,
  request: AppendRequest,
  lease: Lease,
): Promise<Upload> {
  const { upload } = lease;
  const { body } = request;
  refuseEnded(asOf(upload, parts.clock.now()));
  if (request.offset !== upload.offset) {
    throw uploadError("offset_mismatch", { offset: upload.offset, provided: request.offset });
  }
  const { announcedLength } = body;
  if (announcedLength !== undefined && announcedLength > upload.length - upload.offset) {
    throw uploadError("length_exceeded", { offset: upload.offset, length: upload.length });
  }
  if (upload.state === "complete") return replay(upload, body);
  const stop = (): void => {
    body.stop();
  };
  lease.yieldSignal.addEventListener("abort", stop, { once: true });
  if (lease.yieldSignal.aborted) stop();
  const run = new AppendRun({ parts, lease, authorise: request.authorise });
  const { ending, upload: after } = await run.consume(body);
  if (after.state === "rejected") {
    throw uploadError("content_rejected", { reason: after.reason ?? "its content was rejected" });
  }
  if (after.state === "complete") await assembleInBackground(parts, after.blobId);
  if (ending === "clean") return after;
  throw endedEarly(ending, after.offset, lease.yieldSignal.aborted);
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

/** A repeat after completion: an empty body gets the first answer again. */
async function replay(upload: Upload, body: Body): Promise<Upload> {
  const batch = await body.next();
  if (batch.kind === "end" && batch.ending === "clean") return upload;
  throw uploadError("length_exceeded", { offset: upload.offset, length: upload.length });
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
