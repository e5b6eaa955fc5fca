/**
 * Everything that can go wrong with an upload, as a code with facts. No HTTP status and no
 * protocol word lives here: each protocol answers every code through an exhaustive record, so a
 * new code does not compile until each of them has its answer.
 */
export interface ErrorFacts {
  /** The request brought no token, or not where this route looks for it. */
  token_missing: { readonly where: string };
  /** The token is unknown, revoked or malformed. */
  token_invalid: { readonly problem: string };
  token_expired: { readonly expiredAt: number };
  scope_missing: { readonly scope: string };
  /** The request contradicts itself: doubled headers, two tokens, a broken body. */
  request_malformed: {
    readonly detail: string;
    /** The token is what the request contradicts itself about. */
    readonly aboutToken?: true;
  };
  /** Unknown, or not yours: deliberately the same answer. */
  node_unknown: { readonly node: string };
  method_unsupported: { readonly method: string; readonly node: string };
  parameter_invalid: {
    readonly name: string;
    readonly problem: string;
    /** What would have been accepted, as a phrase. */
    readonly valid: string;
  };
  signature_invalid: { readonly id: string; readonly signature: string };
  /** Offsets in bytes. */
  offset_mismatch: { readonly offset: number; readonly provided: number };
  length_exceeded: { readonly offset: number; readonly length: number };
  /** The length is already known to be another, or the body ends elsewhere than it says. */
  length_inconsistent: {
    readonly offset: number;
    readonly length: number;
    readonly provided: number;
  };
  /** The bytes of this request are not those its digest is of; none of them counts. */
  digest_mismatch: { readonly offset: number; readonly algorithm: string };
  /** More bytes than one request may bring that are to match a digest before any of them counts. */
  unproven_too_long: { readonly offset: number; readonly bytesMax: number };
  /** The digest of the whole is already known to be another. */
  digest_inconsistent: { readonly offset: number };
  /** The upload is made of others: nothing can be appended to it. */
  not_appendable: { readonly reason: string };
  content_rejected: { readonly reason: string };
  upload_gone: { readonly state: "cancelled" | "expired" };
  upload_damaged: { readonly offset: number };
  /** The sender was silent or slower than the least rate; what arrived is durable. */
  body_too_slow: { readonly offset: number };
  /** The connection ended before the body did; what arrived is durable. */
  body_cut: { readonly offset: number };
  /** Another request took this upload over; what arrived before is durable. */
  superseded: { readonly offset: number };
  /** Another request holds the upload and did not let go in time. */
  upload_busy: { readonly retryAfterSeconds: number };
  /** The server is stopping; what arrived is durable. */
  draining: { readonly offset: number };
  /** The storage or the catalog failed to make something durable, or cannot be reached. */
  storage_failed: { readonly offset: number | undefined };
  no_room: {
    readonly offset: number | undefined;
    /** What the app's open uploads may bring, when it is that which is used up. */
    readonly appBytesMax?: number | undefined;
  };
  handle_invalid: { readonly problem: string };
  internal: { readonly detail: string };
}

export type UploadErrorCode = keyof ErrorFacts;

type ErrorCase = { [C in UploadErrorCode]: { readonly code: C; readonly facts: ErrorFacts[C] } };
export type AnyUploadErrorCase = ErrorCase[UploadErrorCode];

/** An expected failure, in the engine's words. Anything else that is thrown is our fault. */
export class UploadError extends Error {
  override readonly name = "UploadError";
  readonly detail: AnyUploadErrorCase;

  constructor(detail: AnyUploadErrorCase, options?: ErrorOptions) {
    super(`${detail.code} ${JSON.stringify(detail.facts)}`, options);
    this.detail = detail;
  }

  get code(): UploadErrorCode {
    return this.detail.code;
  }
}

/** Makes the error for `code`; the facts are checked against the code. */
export function uploadError<C extends UploadErrorCode>(
  code: C,
  facts: ErrorFacts[C],
  options?: ErrorOptions,
): UploadError {
  // The pair is consistent by the signature; TypeScript cannot join the two type parameters.
  return new UploadError({ code, facts } as unknown as AnyUploadErrorCase, options);
}

/** The code of one of Node's system errors, such as `ENOSPC`, or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The volume, or the user's share of it, is full. */
export function isVolumeFull(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
