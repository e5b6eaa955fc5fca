import type { UploadProgress, UploadState } from "hawser-client";
import { formatBytes, formatDuration, formatShare } from "./amounts.ts";
import { exitCodes } from "./exit-codes.ts";
import { note, tame } from "./output.ts";
import type { DisplayOptions, FileDisplay, PutDisplay, ShownFile } from "./put-display.ts";
import { failureLines, interruptedLines, printResult, tellTally } from "./put-words.ts";
import { nextSteps, retryLine, skippedLine, summary, warningLine } from "./put-words.ts";
import type { Tally } from "./put-tally.ts";

const lineEveryMs = 5000;

/** Plain lines on stderr, a progress line every few seconds, results on stdout as they come. */
export class LineDisplay implements PutDisplay {
  readonly #options: DisplayOptions;
  readonly #done: string[] = [];

  constructor(options: DisplayOptions) {
    this.#options = options;
  }

  begin({ file, label: name }: ShownFile): FileDisplay {
    const startedMs = performance.now();
    return {
      progress: progressLines(name),
      state: (state: UploadState) => {
        if (state.kind === "retrying") note(retryLine(name, state.error.message, state.waitMs));
      },
      warning: (warning) => {
        const line = warningLine(name, warning, this.#options);
        if (line !== undefined) note(line);
      },
      done: (result) => {
        this.#done.push(file);
        note(summary(name, result, performance.now() - startedMs));
        printResult(name, result);
      },
      failed: (failure) => {
        if (failure.exitCode === exitCodes.interrupted) return;
        for (const line of failureLines(file, failure)) note(line);
      },
    };
  }

  skipped(file: string, reason: string): void {
    note(skippedLine(file, reason));
  }

  note(line: string): void {
    note(line);
  }

  close(tally: Tally, interrupted: boolean): void {
    tellTally(tally);
    if (interrupted) for (const line of interruptedLines()) note(line);
    else nextSteps(this.#done, this.#options);
  }
}

function progressLines(name: string): (progress: UploadProgress) => void {
  let [spokenMs, spokenBytes] = [performance.now(), -1];
  return ({ sent, length }) => {
    const nowMs = performance.now();
    // What is there from an earlier run was not sent at any rate.
    if (spokenBytes < 0) spokenBytes = sent;
    if (nowMs - spokenMs < lineEveryMs) return;
    const rate = ((sent - spokenBytes) / (nowMs - spokenMs)) * 1000;
    [spokenMs, spokenBytes] = [nowMs, sent];
    const left = rate > 0 ? `, ${formatDuration(((length - sent) / rate) * 1000)} left` : "";
    const share = `${formatShare(sent, length)} of ${formatBytes(length)}`;
    note(`${tame(name)}: ${share}, ${formatBytes(Math.max(rate, 0))}/s${left}`);
  };
}
