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

/** Whatever was thrown, with something to do about it in every case. */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof CommandError) {
    const { message, hint, exitCode } = thrown;
    return { code: exitCode === exitCodes.usage ? "usage" : "command", message, hint, exitCode };
  }
  if (thrown instanceof UploadError) return describeUploadError(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const hint = "Try again; if it stays, report it with this message.";
  return { code: "unexpected", message, hint, exitCode: exitCodes.failed };
}

function describeUploadError(error: UploadError): Failure {
  const { status, traceId, attempts = 1 } = error.facts;
  const tries = attempts > 1 ? `, after ${attempts} tries` : "";
  return {
    code: error.code,
    message: `${tame(error.message)}${tries}`,
    hint: error.hint ?? hintOf(error),
    exitCode: exitCodeOf(error),
    status,
    traceId,
  };
}

function exitCodeOf(error: UploadError): ExitCode {
  switch (error.code) {
    case "not-authorised":
      return exitCodes.notAuthorised;
    case "not-found":
    case "gone":
    case "handle-invalid":
      return exitCodes.notFound;
    case "invalid-option":
      return exitCodes.usage;
    case "aborted":
    case "cancelled":
      return exitCodes.interrupted;
    default:
      return exitCodes.failed;
  }
}

function hintOf({ code }: UploadError): string {
  switch (code) {
    case "network":
    case "stalled":
      return "Check that the server runs and the address is right, then run the same command again.";
    case "server-trouble":
    case "bad-answer":
      return "Run the same command again later; what was sent is kept.";
    case "aborted":
      return "Run the same command again to go on.";
    default:
      return "Correct this, then run the command again.";
  }
}

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
