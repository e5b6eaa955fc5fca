import type { UploadError } from "./errors.ts";

/** What an upload came to. */
export interface UploadResult {
  /** Proof of the complete upload; opaque, possibly of several lines. Publishing wants all of it. */
  readonly handle: string;
  /** The upload's id. */
  readonly id: string;
  /** Length of the file. */
  readonly bytes: number;
  /** Offset an earlier process had reached; 0 when the upload was started by this one. */
  readonly resumedFrom: number;
  /** The published file's id, when publishing was asked for. */
  readonly fileId?: string | undefined;
  /** Failures that were overcome on the way. */
  readonly retries: number;
}

/** Where an upload task stands. */
export type UploadState =
  /** Opening the source. */
  | { readonly kind: "waiting" }
  /** Asking the server for a new upload. */
  | { readonly kind: "starting" }
  /** Comparing the local file with what the server has of it. */
  | { readonly kind: "checking" }
  /** Sending; `offset` is where the request under way began. */
  | { readonly kind: "uploading"; readonly id: string; readonly offset: number }
  /** Something failed; `failures` so far without the offset moving. */
  | {
      readonly kind: "retrying";
      readonly error: UploadError;
      readonly failures: number;
      readonly waitMs: number;
    }
  | { readonly kind: "publishing"; readonly handle: string }
  | { readonly kind: "done"; readonly result: UploadResult }
  | { readonly kind: "failed"; readonly error: UploadError }
  /** Stopped here; may be resumed. */
  | { readonly kind: "aborted" }
  /** Given up for good. */
  | { readonly kind: "cancelled" };
