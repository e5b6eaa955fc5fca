import type { AnyUploadErrorCase, UploadErrorCode } from "../base/errors.ts";

type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 410 | 413 | 500 | 503 | 507;

/** The status for every code; a new code does not compile until it has one. */
export const errorStatus: Readonly<Record<UploadErrorCode, ErrorStatus>> = {
  token_missing: 401,
  token_invalid: 401,
  token_expired: 401,
  scope_missing: 403,
  request_malformed: 400,
  node_unknown: 404,
  method_unsupported: 405,
  parameter_invalid: 400,
  signature_invalid: 400,
  offset_mismatch: 409,
  length_exceeded: 413,
  length_inconsistent: 400,
  digest_mismatch: 400,
  digest_inconsistent: 400,
  unproven_too_long: 413,
  not_appendable: 409,
  content_rejected: 400,
  upload_gone: 410,
  upload_damaged: 409,
  body_too_slow: 408,
  body_cut: 400,
  superseded: 409,
  upload_busy: 503,
  draining: 503,
  storage_failed: 503,
  no_room: 507,
  handle_invalid: 400,
  internal: 500,
};

/** What happened, for the operator. Codes that administration cannot meet have their name only. */
export function errorMessage({ code, facts }: AnyUploadErrorCase): string {
  switch (code) {
    case "token_missing":
      return `An access token is needed in ${facts.where}.`;
    case "token_invalid":
      return facts.problem;
    case "token_expired":
      return `The access token expired at ${new Date(facts.expiredAt).toISOString()}.`;
    case "scope_missing":
      return `The access token lacks the scope ${facts.scope}.`;
    case "request_malformed":
      return facts.detail;
    case "node_unknown":
      return `There is no ${facts.node}.`;
    case "parameter_invalid":
      return `${facts.name} ${facts.problem}; expected ${facts.valid}.`;
    case "internal":
      return "The server failed; its log says why.";
    case "content_rejected":
      return `The upload was rejected: ${facts.reason}.`;
    case "method_unsupported":
      return `${facts.node} takes no ${facts.method} request.`;
    case "signature_invalid":
      return "The id or link was altered on its way.";
    case "storage_failed":
      return "The server's storage failed or cannot be reached; try again.";
    case "upload_busy":
      return `The server is busy with this; try again in ${facts.retryAfterSeconds} s.`;
    case "upload_damaged":
      return `The upload is damaged: bytes before ${facts.offset} are missing.`;
    case "upload_gone":
      return `The upload was ${facts.state} and its bytes are gone.`;
    case "body_cut":
    case "body_too_slow":
    case "digest_mismatch":
    case "digest_inconsistent":
    case "draining":
    case "handle_invalid":
    case "length_exceeded":
    case "length_inconsistent":
    case "no_room":
    case "not_appendable":
    case "offset_mismatch":
    case "superseded":
    case "unproven_too_long":
      return `The request failed: ${code}.`;
  }
}
