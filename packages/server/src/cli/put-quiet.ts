import { exitCodes } from "./exit-codes.ts";
import { note } from "./output.ts";
import type { FileDisplay, PutDisplay, ShownFile } from "./put-display.ts";
import { failureLines, printResult } from "./put-words.ts";

/** Results on stdout, errors on stderr, and nothing else. */
export class QuietDisplay implements PutDisplay {
  begin({ file, label }: ShownFile): FileDisplay {
    return {
      progress: () => undefined,
      state: () => undefined,
      warning: () => undefined,
      done: (result) => {
        printResult(label, result);
      },
      failed: (failure) => {
        if (failure.exitCode === exitCodes.interrupted) return;
        for (const line of failureLines(file, failure)) note(line);
      },
    };
  }

  skipped(): void {
    // Not asked for.
  }

  note(): void {
    // Not asked for.
  }

  close(): void {
    // Nothing is open.
  }
}
