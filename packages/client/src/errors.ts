/**
 * What went wrong, in one word.
 *
 * - `invalid-option`: the caller gave something that cannot work; nothing was sent.
 * - `source-changed`, `source-unreadable`: the local file changed under the upload, or cannot be read.
 * - `not-authorised`: token missing, wrong, expired, or without the right (401, 403, Graph 10, 102,
 *   104, 190, 200 to 299).
 * - `not-found`, `gone`: the server does not know it (404, Graph 100/33), or no longer has it (410).
 * - `handle-invalid`: a handle that is wrong, expired or another app's (Graph 100/2494102).
 * - `refused`: any other answer that repeating will not change.
 * - `offset-mismatch`: the server stands at another offset (412, in other dialects 409).
 * - `rate-limited`: too many calls (429, Graph 4, 17, 32, 341, 613).
 * - `server-trouble`: the server's fault or a passing one (5xx but 501 and 505, 408, Graph 1, 2; 423
 *   and 460 in other dialects).
 * - `network`, `stalled`: the connection broke, or nothing moved for too long.
 * - `bad-answer`: an answer that cannot be read.
 * - `offset-contradiction`: the server claims an offset that cannot be true; following it would
 *   corrupt the file.
 * - `aborted`: stopped here, may be resumed. `cancelled`: given up for good, on the server too.
 */
export type UploadErrorCode =
  | "invalid-option"
  | "source-changed"
  | "source-unreadable"
  | "not-authorised"
  | "not-found"
  | "gone"
  | "handle-invalid"
  | "refused"
  | "offset-mismatch"
  | "rate-limited"
  | "server-trouble"
  | "network"
  | "stalled"
  | "bad-answer"
  | "offset-contradiction"
  | "aborted"
  | "cancelled";

/** The facts an error carries; every one of them only when it is known. */
export interface UploadErrorFacts {
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
  /** `error.type` or `debug_info.type` of the answer. */
  readonly type?: string | undefined;
  /** `error.code` of the answer. */
  readonly graphCode?: number | undefined;
  /** `error.error_subcode` of the answer. */
  readonly graphSubcode?: number | undefined;
  /** The server said in so many words that trying again may help. */
  readonly retriable?: boolean | undefined;
  /** How long the server asks us to wait, in milliseconds. */
  readonly waitMs?: number | undefined;
  /** `fbtrace_id`, by which the server's operator finds the log line. */
  readonly traceId?: string | undefined;
  /** How often it was tried without the offset moving. */
  readonly attempts?: number | undefined;
  /** What to do about it, one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The one error this package throws. `message` says what happened, `hint` what to do next. */
export class UploadError extends Error {
  override readonly name = "UploadError";
  readonly code: UploadErrorCode;
  readonly facts: UploadErrorFacts;

  constructor(code: UploadErrorCode, message: string, facts: UploadErrorFacts = {}) {
    super(message, facts);
    this.code = code;
    this.facts = Object.freeze({ ...facts });
  }

  /** What to do about it, one sentence, when there is something to say. */
  get hint(): string | undefined {
    return this.facts.hint;
  }

  /** The same error with more facts. */
  with(facts: UploadErrorFacts): UploadError {
    const error = new UploadError(this.code, this.message, { ...this.facts, ...facts });
    if (this.stack !== undefined) error.stack = this.stack;
    return error;
  }
}

/** Whatever was thrown, as an {@link UploadError}; what is not ours is taken for the network's. */
export function asUploadError(thrown: unknown): UploadError {
  if (thrown instanceof UploadError) return thrown;
  const cause = toError(thrown);
  if (cause.name === "AbortError") return new UploadError("aborted", "stopped", { cause });
  return new UploadError("network", `the connection failed: ${cause.message}`, { cause });
}

/** Whether it is an {@link UploadError} with one of these codes. */
export function isOneOf(error: unknown, codes: readonly UploadErrorCode[]): boolean {
  return error instanceof UploadError && codes.includes(error.code);
}

/** What was thrown, which may be anything, as an error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Of the connection, not of the server: what a cut looks like, and being offline. */
export function isLineFailure(error: UploadError): boolean {
  return isOneOf(error, ["network", "stalled"]);
}
