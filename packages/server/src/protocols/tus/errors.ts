import { uploadError, UploadError } from "../../base/errors.ts";
import type { ErrorFacts, UploadErrorCode } from "../../base/errors.ts";
import { commonAnswers, later } from "../standard/common-answers.ts";

/** One refusal in tus's words: a status, and in plain text what is wrong and what to do next. */
export interface TusError {
  readonly status: number;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What only this protocol refuses, so that the engine has no word for it. */
export class TusRefusal extends Error {
  override readonly name = "TusRefusal";
  readonly answer: TusError;

  constructor(answer: TusError) {
    super(answer.detail);
    this.answer = answer;
  }
}

type Answers = { readonly [C in UploadErrorCode]: (facts: ErrorFacts[C]) => TusError };

/** Exhaustive: a new engine code does not compile until tus has its answer. */
const answers: Answers = {
  ...commonAnswers,
  offset_mismatch: ({ offset, provided }) => ({
    status: 409,
    detail: `The upload is at ${offset}, the request starts at ${provided}. Go on from ${offset}.`,
    headers: { "Upload-Offset": String(offset) },
  }),
  length_exceeded: ({ offset, length }) => ({
    status: 413,
    detail:
      `The upload can have ${length} bytes at most, ${offset} of them are here, and the request ` +
      "would bring or announce more.",
  }),
  length_inconsistent: ({ length, provided }) => ({
    status: 400,
    detail: `The upload's length is ${length} and cannot become ${provided}.`,
  }),
  digest_mismatch: ({ offset, algorithm }) => ({
    status: 460,
    detail:
      `The bytes of the request are not those that its ${algorithm} checksum is of: none of them ` +
      `was kept. Send them again from ${offset} on.`,
    headers: { "Upload-Offset": String(offset) },
  }),
  unproven_too_long: ({ offset, bytesMax }) => ({
    status: 413,
    detail:
      `A request with a checksum can bring ${bytesMax} bytes at most, since none of them counts ` +
      `before all are here. Send less at once, or without a checksum, from ${offset} on.`,
    headers: { "Upload-Offset": String(offset) },
  }),
  digest_inconsistent: () => ({
    status: 400,
    detail: "The digest of the whole upload was said to be another before.",
  }),
  not_appendable: ({ reason }) => ({
    status: 403,
    detail: `Nothing can be appended to this upload: ${reason}.`,
  }),
  content_rejected: ({ reason }) => ({
    status: 422,
    detail: `The upload was rejected: ${reason}. Start a new one.`,
  }),
  upload_gone: ({ state }) => ({
    status: 410,
    detail: `The upload was ${state} and its bytes are gone. Start a new one.`,
  }),
  upload_damaged: () => ({
    status: 410,
    detail: "The upload is damaged and cannot go on. Start a new one.",
  }),
  // Whoever sent it is no more where it takes the upload to be: clients ask and go on after 409.
  body_too_slow: ({ offset }) => goOn(409, "The content came too slowly.", offset),
  body_cut: ({ offset }) => goOn(409, "The content ended early.", offset),
  superseded: ({ offset }) => later(goOn(423, "Another request took this upload over.", offset), 1),
  upload_busy: ({ retryAfterSeconds }) => ({
    status: 423,
    detail: "Another request is writing this upload and has not let go yet. Try again.",
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
};

function goOn(status: number, what: string, offset: number | undefined): TusError {
  if (offset === undefined) return { status, detail: what };
  const detail = `${what} ${offset} bytes are stored: go on from there.`;
  return { status, detail, headers: { "Upload-Offset": String(offset) } };
}

/** What went wrong, for the log, and how it is answered. */
export function tusError(thrown: unknown): TusError & { readonly code: string } {
  if (thrown instanceof TusRefusal) return { code: "refused", ...thrown.answer };
  const { code, detail: found } =
    thrown instanceof UploadError ? thrown : uploadError("internal", { detail: String(thrown) });
  // The pair of code and facts was checked where the error was made.
  const answer = answers[code] as (facts: unknown) => TusError;
  return { code, ...answer(found.facts) };
}
