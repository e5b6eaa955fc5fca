import { exitCodes } from "./exit-codes.ts";
import { CommandError, describeFailure, tellFailure } from "./failure.ts";

/** What a command is there for: to do something, or only to show something. */
export type Purpose = "doing" | "showing";

export interface WatchedOutput {
  readonly isLost: boolean;
}

/** A pipe whose reader has left; Windows has the second name for it, too. */
const readerLeftCodes: readonly (string | undefined)[] = ["EPIPE", "EOF"];

/**
 * Watches whether what is printed can be written. Where it cannot, that is told, the process ends
 * as failed, and `stop` is called to wind up what is under way: nobody would learn its results. Only
 * what shows something ends well, and at once, when its reader leaves, as `head` does: it has shown
 * what was wanted.
 */
export function watchOutput(purpose: Purpose, stop: () => void): WatchedOutput {
  const output = { isLost: false };
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    const hasReaderLeft = readerLeftCodes.includes(error.code);
    if (hasReaderLeft && purpose === "showing") process.exit(exitCodes.ok);
    if (output.isLost) return;
    output.isLost = true;
    // Whatever the work comes to; its last line may be lost after it has ended.
    process.once("exit", () => {
      process.exitCode = exitCodes.failed;
    });
    tellLoss(hasReaderLeft ? "its reader has left" : error.message);
    stop();
  });
  return output;
}

function tellLoss(reason: string): void {
  const message = `the output cannot be written: ${reason}`;
  const hint =
    "What was done stays done; give the output a place, then run the same command again.";
  tellFailure(describeFailure(new CommandError(exitCodes.failed, message, hint)), false);
}
