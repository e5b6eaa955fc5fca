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

/** Where an upload task stands. `done`, `failed`, `aborted` and `cancelled` are ends. */
export type UploadState =
  /** For its turn in a queue. */
  | { readonly kind: "waiting" }
  /** Opening the source, and asking the server for a new upload. */
  | { readonly kind: "starting" }
  /** Asking how far the server is, and comparing the local file with what it has. */
  | { readonly kind: "checking" }
  /** Sending; `offset` is where the request under way began. */
  | { readonly kind: "uploading"; readonly id: string; readonly offset: number }
  /** Until `resume()`; nothing is being sent. */
  | { readonly kind: "paused" }
  /** Something failed, and is tried again. */
  | {
      readonly kind: "retrying";
      /** `offline`: the machine has no network, which counts as no failure. */
      readonly reason: "failed" | "offline";
      readonly error: UploadError;
      /** So far without the offset moving. */
      readonly failures: number;
      /** The longest wait; the network's return ends it early. */
      readonly waitMs: number;
    }
  | { readonly kind: "publishing"; readonly handle: string }
  | { readonly kind: "done"; readonly result: UploadResult }
  | { readonly kind: "failed"; readonly error: UploadError }
  /**
   * This task was stopped for good, the upload was not: what the server has stays there, and another
   * task with the same resume store goes on with it. A task that is to go on itself is paused.
   */
  | { readonly kind: "aborted" }
  /** Given up for good, on the server too. */
  | { readonly kind: "cancelled" };

/** How far an upload is; bytes. */
export interface UploadProgress {
  /** Given to the network. May go back after a cut, never below `confirmed`. */
  readonly sent: number;
  /** Known to be durable on the server. */
  readonly confirmed: number;
  readonly length: number;
  /** Bytes a second given to the network, over the last five seconds; 0 while it is not known. */
  readonly rate: number;
  /** Seconds until all is sent at this rate; undefined while nothing goes. */
  readonly secondsLeft: number | undefined;
}

/** A task at one moment. */
export interface UploadSnapshot {
  readonly state: UploadState;
  /** Undefined until the source is open. */
  readonly progress: UploadProgress | undefined;
}

/** True when nothing will happen any more. */
export function isOver(state: UploadState): boolean {
  return ["done", "failed", "aborted", "cancelled"].includes(state.kind);
}
