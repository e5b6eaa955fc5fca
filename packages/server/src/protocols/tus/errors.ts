import { uploadError, UploadError } from "../../base/errors.ts";
import type { ErrorFacts, UploadErrorCode } from "../../base/errors.ts";

/** One refusal in tus's words: a status, and in plain text what is wrong and what to do next. */
export interface TusError {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What only this protocol refuses, so that the engine has no word for it. */
export class TusRefusal extends Error {
  override readonly name = "TusRefusal";
  readonly answer: TusError;

  constructor(answer: TusError) {
    super(answer.message);
    this.answer = answer;
  }
}

type Answers = { readonly [C in UploadErrorCode]: (facts: ErrorFacts[C]) => TusError };

/** Exhaustive: a new engine code does not compile until tus has its answer. */
const answers: Answers = {
  token_missing: ({ where }) => ({
    status: 401,
    message: `A token is missing. Send it in ${where}, as "Bearer <token>".`,
    headers: { "WWW-Authenticate": "Bearer" },
  }),
  token_invalid: ({ problem }) => ({
    status: 401,
    message: `The token is not valid. ${problem}`,
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
  }),
  token_expired: ({ expiredAt }) => ({
    status: 401,
    message: `The token expired at ${new Date(expiredAt).toISOString()}. Send another one.`,
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
  }),
  scope_missing: ({ scope }) => ({
    status: 403,
    message: `The token does not have the scope "${scope}", which this takes.`,
    headers: { "WWW-Authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
  }),
  request_malformed: ({ detail }) => ({
    status: 400,
    message: `The request is malformed. ${detail}`,
  }),
  node_unknown: ({ node }) => ({
    status: 404,
    message: `There is no upload ${node}, or this token may not see it. Start a new one.`,
  }),
  method_unsupported: ({ method, node }) => ({
    status: 405,
    message: `${method} is nothing that can be asked of ${node}.`,
  }),
  parameter_invalid: ({ name, problem, valid }) => ({
    status: 400,
    message: `${name} ${problem}. Valid: ${valid}.`,
  }),
  signature_invalid: () => ({ status: 404, message: "The id was altered on its way." }),
  offset_mismatch: ({ offset, provided }) => ({
    status: 409,
    message: `The upload is at ${offset}, the request starts at ${provided}. Go on from ${offset}.`,
    headers: { "Upload-Offset": String(offset) },
  }),
  length_exceeded: ({ offset, length }) => ({
    status: 413,
    message:
      `The upload can have ${length} bytes at most, ${offset} of them are here, and the request ` +
      "would bring or announce more.",
  }),
  length_inconsistent: ({ length, provided }) => ({
    status: 400,
    message: `The upload's length is ${length} and cannot become ${provided}.`,
  }),
  digest_mismatch: ({ offset, algorithm }) => ({
    status: 460,
    message:
      `The bytes of the request are not those that its ${algorithm} checksum is of: none of them ` +
      `was kept. Send them again from ${offset} on.`,
    headers: { "Upload-Offset": String(offset) },
  }),
  not_appendable: ({ reason }) => ({
    status: 403,
    message: `Nothing can be appended to this upload: ${reason}.`,
  }),
  content_rejected: ({ reason }) => ({
    status: 422,
    message: `The upload was rejected: ${reason}. Start a new one.`,
  }),
  upload_gone: ({ state }) => ({
    status: 410,
    message: `The upload was ${state} and its bytes are gone. Start a new one.`,
  }),
  upload_damaged: () => ({
    status: 410,
    message: "The upload is damaged and cannot go on. Start a new one.",
  }),
  // Whoever sent it is no more where it takes the upload to be: clients ask and go on after 409.
  body_too_slow: ({ offset }) => goOn(409, "The content came too slowly.", offset),
  body_cut: ({ offset }) => goOn(409, "The content ended early.", offset),
  superseded: ({ offset }) => goOn(423, "Another request took this upload over.", offset),
  upload_busy: ({ retryAfterSeconds }) => ({
    status: 423,
    message: "Another request is writing this upload and has not let go yet. Try again.",
    headers: { "Retry-After": String(retryAfterSeconds) },
  }),
  draining: ({ offset }) => later(goOn(503, "The server is stopping.", offset), 1),
  storage_failed: ({ offset }) => later(goOn(503, "The server's storage failed.", offset), 5),
  no_room: ({ offset, appBytesMax }) =>
    later(
      goOn(
        507,
        appBytesMax === undefined
          ? "There is no room left on the server."
          : `The open uploads of this app may bring ${appBytesMax} bytes in all. Finish some.`,
        offset,
      ),
      30,
    ),
  handle_invalid: ({ problem }) => ({
    status: 400,
    message: `The handle is not valid: ${problem}.`,
  }),
  internal: () => ({ status: 500, message: "Something went wrong on the server. Try again." }),
};

function goOn(status: number, what: string, offset: number | undefined): TusError {
  if (offset === undefined) return { status, message: what };
  const message = `${what} ${offset} bytes are stored: go on from there.`;
  return { status, message, headers: { "Upload-Offset": String(offset) } };
}

function later(error: TusError, retryAfterSeconds: number): TusError {
  return { ...error, headers: { ...error.headers, "Retry-After": String(retryAfterSeconds) } };
}

/** What went wrong, for the log, and how it is answered. */
export function tusError(thrown: unknown): TusError & { readonly code: string } {
  if (thrown instanceof TusRefusal) return { code: "refused", ...thrown.answer };
  const { code, detail } =
    thrown instanceof UploadError ? thrown : uploadError("internal", { detail: String(thrown) });
  // The pair of code and facts was checked where the error was made.
  const answer = answers[code] as (facts: unknown) => TusError;
  return { code, ...answer(detail.facts) };
}
