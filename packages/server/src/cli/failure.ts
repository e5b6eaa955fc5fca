import type { UploadErrorCode } from "hawser-client";
import { UploadError } from "hawser-client";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { note, paint, printJson, tame } from "./output.ts";

/** Something a command has to say before it ends: what happened, and what to do about it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;
  readonly hint: string;

  constructor(exitCode: ExitCode, message: string, hint: string) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** An error as the command tells it, to people and as JSON. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: ExitCode;
  readonly status?: number | undefined;
  readonly traceId?: string | undefined;
}

const commandCodes: Readonly<Partial<Record<ExitCode, string>>> = {
  [exitCodes.usage]: "usage",
  [exitCodes.notFound]: "not-found",
};

/** Whatever was thrown, with something to do about it in every case. */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof CommandError) {
    const { message, hint, exitCode } = thrown;
    return { code: commandCodes[exitCode] ?? "failed", message, hint, exitCode };
  }
  if (thrown instanceof UploadError) return describeUploadError(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const hint = "Try again; if it stays, report it with this message.";
  return { code: "unexpected", message, hint, exitCode: exitCodes.failed };
}

function describeUploadError(error: UploadError): Failure {
  const { status, traceId, attempts = 1 } = error.facts;
  const [exitCode, hint] = answers[error.code];
  const tries = attempts > 1 ? `, after ${attempts} tries` : "";
  return {
    code: error.code,
    message: `${tame(error.message)}${tries}`,
    hint: error.hint ?? hint,
    exitCode,
    status,
    traceId,
  };
}

const rerun = "Run the same command again to go on.";
const correct = "Correct this, then run the command again.";
const check =
  "Check that the server runs and the address is right, then run the same command again.";
const later = "Run the same command again later; what was sent is kept.";

/** What each failure means for a script and for a person; a new code must have its answer. */
const answers: Readonly<Record<UploadErrorCode, readonly [ExitCode, string]>> = {
  "invalid-option": [exitCodes.usage, correct],
  "source-changed": [exitCodes.failed, correct],
  "source-unreadable": [exitCodes.failed, correct],
  "not-authorised": [exitCodes.notAuthorised, correct],
  "not-found": [exitCodes.notFound, correct],
  gone: [exitCodes.notFound, correct],
  "handle-invalid": [exitCodes.notFound, correct],
  refused: [exitCodes.failed, correct],
  "offset-mismatch": [exitCodes.failed, rerun],
  "offset-contradiction": [exitCodes.failed, correct],
  "rate-limited": [exitCodes.failed, later],
  "server-trouble": [exitCodes.failed, later],
  "bad-answer": [exitCodes.failed, later],
  network: [exitCodes.failed, check],
  stalled: [exitCodes.failed, check],
  aborted: [exitCodes.interrupted, rerun],
  cancelled: [exitCodes.interrupted, rerun],
};

/** One line what happened, one line what to do next; with `json` the same as an object on stdout. */
export function tellFailure(failure: Failure, json: boolean): void {
  if (json) {
    printJson({ error: toJson(failure) });
    return;
  }
  const trace = failure.traceId === undefined ? "" : ` [trace ${tame(failure.traceId)}]`;
  note(`${paint("red", "error:")} ${failure.message}${trace}`);
  note(`${paint("bold", "next:")} ${failure.hint}`);
}

/** The part of a failure that goes into JSON. */
export function toJson({ code, message, hint, status, traceId }: Failure): object {
  return { code, message, hint, status, traceId };
}
