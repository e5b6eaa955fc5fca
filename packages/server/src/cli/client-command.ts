import { Command } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodeHelp, exitCodes } from "./exit-codes.ts";
import { describeFailure, tellFailure } from "./failure.ts";
import type { Purpose } from "./lost-output.ts";
import { watchOutput } from "./lost-output.ts";
import { isWatched, note } from "./output.ts";
import type { TargetFlags } from "./target.ts";

/** What every command that talks to a server takes. */
export interface ClientFlags extends TargetFlags {
  readonly json?: boolean;
}

/** A command that talks to a server: the options they share, help that teaches, exit codes. */
export function clientCommand(name: string, description: string, examples: string): Command {
  return new Command(name)
    .description(description)
    .option("--to <url>", "the server's address (HAWSER_URL)")
    .option("--app <id>", "the app's id (HAWSER_APP_ID)")
    .option("--token <token>", "the access token (HAWSER_TOKEN keeps it out of the process list)")
    .option("--data <directory>", "a local server's data directory, to find address and token in")
    .option("--json", "results and errors as JSON, one object a line")
    .showHelpAfterError("(--help shows examples)")
    .addHelpText("after", `${examples}\n${whereHelp}${exitCodeHelp}`)
    .exitOverride((error) => {
      // Commander's own 1 for a wrong option would be taken for a failed upload.
      process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    });
}

const whereHelp = `
Where to: the flags above, then HAWSER_URL, HAWSER_APP_ID and HAWSER_TOKEN, then the credentials
that a local "hawser serve" left in its data directory (--data, HAWSER_DATA or ./hawser-data).
`;

/** A second Ctrl-C within this time is the same key press reaching us on two ways. */
const sameInterruptMs = 1000;

/**
 * Runs a command's work and ends the process with its exit code. Ctrl-C aborts the signal, so that
 * the work can say how to go on; a second one ends at once. Output that cannot be written aborts it,
 * too.
 */
export async function runClientCommand(
  flags: ClientFlags,
  work: (signal: AbortSignal) => Promise<ExitCode>,
  purpose: Purpose = "doing",
): Promise<void> {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const onInterrupt = () => {
    const nowMs = performance.now();
    firstMs ??= nowMs;
    if (nowMs - firstMs > sameInterruptMs) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  const output = watchOutput(purpose, () => {
    controller.abort();
  });
  try {
    process.exitCode = await work(controller.signal);
  } catch (error) {
    const failure = describeFailure(error);
    // Why it was stopped has been told.
    if (failure.exitCode === exitCodes.interrupted && output.isLost) return;
    if (failure.exitCode === exitCodes.interrupted && isWatched()) note("");
    tellFailure(failure, flags.json === true);
    process.exitCode = failure.exitCode;
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}
