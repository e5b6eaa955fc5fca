import type { Body, BodyEnding } from "../base/body.ts";
import { UploadError, uploadError } from "../base/errors.ts";
import type { Upload } from "../catalog/records.ts";
import { AppendRun } from "./append-run.ts";
import { assembleInBackground } from "./assemble.ts";
import { damage } from "./damage.ts";
import { asOf } from "./expiry.ts";
import type { EngineParts } from "./parts.ts";

export interface AppendRequest {
  readonly id: string;
  readonly offset: number;
  readonly body: Body;
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
  const { body, authorise, dialect } = request;
  try {
    refuseUnfit(request, asOf(upload, parts.clock.now()));
    if (upload.state === "complete") return await replay(upload, body);
    yielding.onAsked(() => {
      body.stop();
    });
    const run = new AppendRun({ parts, lease, authorise, dialect });
    const { ending, upload: after } = await run.consume(body);
    if (after.state === "rejected") {
      throw uploadError("content_rejected", { reason: after.reason ?? "its content was rejected" });
    }
    if (after.state === "complete") await assembleInBackground(parts, after.blobId);
    if (ending === "clean") return after;
    throw endedEarly(ending, after.offset, yielding.isAsked);
  } catch (error) {
    if (error instanceof UploadError && error.code === "upload_damaged") {
      await damage(parts, lease, "bytes below the offset are missing");
    }
    throw error;
  } finally {
    await lease.release();
  }
}

function refuseUnfit({ offset: provided, body }: AppendRequest, upload: Upload): void {
  refuseEnded(upload);
  const { offset, length } = upload;
  if (provided !== offset) throw uploadError("offset_mismatch", { offset, provided });
  const { announcedLength } = body;
  if (announcedLength !== undefined && announcedLength > length - offset) {
    throw uploadError("length_exceeded", { offset, length });
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
