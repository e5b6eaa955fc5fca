import { uploadError, UploadError } from "../../base/errors.ts";
import type { ErrorFacts, UploadErrorCode } from "../../base/errors.ts";
import { commonAnswers, later } from "../standard/common-answers.ts";
import { IetfRefusal, type Problem } from "./problems.ts";
import type { InteropRules } from "./versions.ts";

type Rules = Pick<InteropRules, "endedStatus">;
type Answers = {
  readonly [C in UploadErrorCode]: (facts: ErrorFacts[C], rules: Rules) => Problem;
};

/** Exhaustive: a new engine code does not compile until this protocol has its answer. */
const answers: Answers = {
  ...commonAnswers,
  offset_mismatch: ({ offset, provided }) => ({
    status: 409,
    type: "mismatching-upload-offset",
    detail: `The upload is at ${offset}, the request starts at ${provided}.`,
    members: { "expected-offset": offset, "provided-offset": provided },
    offset,
  }),
  length_exceeded: ({ length }) => ({
    status: 413,
    detail: `An upload can have ${length} bytes at most, and the request would bring more.`,
  }),
  length_inconsistent: ({ offset, length, provided }) => ({
    status: 400,
    type: "inconsistent-upload-length",
    detail: `The upload's length is ${length}, and the request makes it ${provided}.`,
    offset,
  }),
  digest_mismatch: ({ offset, algorithm }) => ({
    status: 400,
    detail:
      `The content is not what its Content-Digest says (${algorithm}): none of it was kept. ` +
      `Send it again from ${offset} on.`,
    offset,
  }),
  unproven_too_long: ({ offset, bytesMax }) => ({
    status: 413,
    detail:
      `A request with Content-Digest can bring ${bytesMax} bytes at most, since none of them ` +
      "counts before all are here. Send less at once, or without it.",
    offset,
    appendSizeMax: bytesMax,
  }),
  digest_inconsistent: ({ offset }) => ({
    status: 400,
    detail: "Repr-Digest says another SHA-256 than an earlier request of this upload.",
    offset,
  }),
  not_appendable: ({ reason }) => ({
    status: 403,
    detail: `Nothing can be appended to this upload: ${reason}.`,
  }),
  content_rejected: ({ reason }) => ({
    status: 422,
    detail: `The upload was rejected: ${reason}.`,
    isFinal: true,
  }),
  upload_gone: ({ state }, { endedStatus }) => ({
    status: endedStatus,
    detail: `The upload was ${state} and its bytes are gone.`,
  }),
  upload_damaged: (_facts, { endedStatus }) => ({
    status: endedStatus,
    detail: "The upload is damaged and cannot go on.",
  }),
  // The truth would be a 4xx, after which clients of this protocol do not go on.
  body_too_slow: ({ offset }) => later(goOn(503, "The content came too slowly.", offset), 1),
  body_cut: ({ offset }) => later(goOn(503, "The content ended early.", offset), 1),
  superseded: ({ offset }) => later(goOn(503, "Another request took this upload over.", offset), 1),
  upload_busy: ({ retryAfterSeconds }) =>
    later<Problem>(
      { status: 503, detail: "Another request is writing this upload and has not let go yet." },
      retryAfterSeconds,
    ),
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

function goOn(status: number, what: string, offset: number | undefined): Problem {
  if (offset === undefined) return { status, detail: what };
  return { status, detail: `${what} ${offset} bytes are stored: go on from there.`, offset };
}

/** What went wrong, for the log, and how it is answered. */
export function problemOf(
  thrown: unknown,
  rules: Rules,
): { readonly code: string; readonly problem: Problem } {
  if (thrown instanceof IetfRefusal) return { code: "refused", problem: thrown.problem };
  const { code, detail } =
    thrown instanceof UploadError ? thrown : uploadError("internal", { detail: String(thrown) });
  // The pair of code and facts was checked where the error was made.
  const answer = answers[code] as (facts: unknown, rules: Rules) => Problem;
  return { code, problem: answer(detail.facts, rules) };
}
