import type { UploadProgress, UploadResult, UploadState } from "hawser-client";
import type { MultiBar as MultiBarType, Options, SingleBar } from "cli-progress";
import progress from "cli-progress";
import { formatBytes, formatDuration } from "./amounts.ts";
import { exitCodes } from "./exit-codes.ts";
import { note, tame } from "./output.ts";
import type { DisplayOptions, FileDisplay, PutDisplay, ShownFile } from "./put-display.ts";
import { failureLines, interruptedLines, printResult, tellTally } from "./put-words.ts";
import { nextSteps, retryLine, skippedLine, summary, warningLine } from "./put-words.ts";
import type { Tally } from "./put-tally.ts";

const nameWidth = 24;
const rateWindowMs = 3000;

export const barOptions: Options = Object.freeze({
  format: "{name} {bar} {percentage}% {sizes} {pace}",
  stream: process.stderr,
  hideCursor: true,
  clearOnComplete: true,
  barsize: 24,
  fps: 8,
  barCompleteChar: "█",
  barIncompleteChar: "░",
  linewrap: false,
  gracefulExit: false,
});

/** A bar for each file under way, on stderr; results on stdout when the bars are gone. */
export class BarDisplay implements PutDisplay {
  readonly #options: DisplayOptions;
  readonly #bars: MultiBarType;
  readonly #done: { file: string; name: string; result: UploadResult }[] = [];

  constructor(options: DisplayOptions) {
    this.#options = options;
    this.#bars = new progress.MultiBar(barOptions);
  }

  begin({ file, label: name }: ShownFile): FileDisplay {
    const startedMs = performance.now();
    const bar = this.#bars.create(1, 0, { name: fitted(name), sizes: "", pace: "opening" });
    const pace = paceOf();
    return {
      progress: (at) => {
        bar.setTotal(at.length);
        bar.update(at.sent, { sizes: formatBytes(at.length), pace: pace(at) });
      },
      state: (state) => {
        this.#showState(bar, name, state);
      },
      warning: (warning) => {
        const line = warningLine(name, warning, this.#options);
        if (line !== undefined) this.#say(line);
      },
      done: (result) => {
        this.#bars.remove(bar);
        this.#done.push({ file, name, result });
        this.#say(summary(name, result, performance.now() - startedMs));
      },
      failed: (failure) => {
        this.#bars.remove(bar);
        if (failure.exitCode === exitCodes.interrupted) return;
        for (const line of failureLines(file, failure)) this.#say(line);
      },
    };
  }

  skipped(file: string, reason: string): void {
    this.#say(skippedLine(file, reason));
  }

  note(line: string): void {
    this.#say(line);
  }

  close(tally: Tally, interrupted: boolean): void {
    // Lines said since the last redraw would otherwise be lost.
    this.#bars.update();
    this.#bars.stop();
    for (const { name, result } of this.#done) printResult(name, result);
    const files = this.#done.map(({ file }) => file);
    tellTally(tally);
    if (interrupted) for (const line of interruptedLines()) note(line);
    else nextSteps(files, this.#options);
  }

  #showState(bar: SingleBar, name: string, state: UploadState): void {
    if (state.kind === "starting") bar.update({ pace: "starting" });
    if (state.kind === "checking") bar.update({ pace: "comparing with what is there" });
    if (state.kind === "publishing") bar.update({ pace: "publishing" });
    if (state.kind !== "retrying") return;
    bar.update({ pace: "waiting to try again" });
    this.#say(retryLine(name, state.error.message, state.waitMs));
  }

  /** A line above the bars. */
  #say(line: string): void {
    this.#bars.log(`${line}\n`);
  }
}

/** Rate and time left over the last few seconds; what was there before was not sent by us. */
export function paceOf(): (progress: Pick<UploadProgress, "sent" | "length">) => string {
  const seen: { atMs: number; sent: number }[] = [];
  return ({ sent, length }) => {
    const atMs = performance.now();
    seen.push({ atMs, sent });
    while (seen.length > 2 && atMs - (seen[0]?.atMs ?? atMs) > rateWindowMs) seen.shift();
    const first = seen[0] ?? { atMs, sent };
    const rate = ((sent - first.sent) / Math.max(atMs - first.atMs, 1)) * 1000;
    if (sent >= length) return "waiting for the answer";
    if (rate <= 0) return "";
    return `${formatBytes(rate)}/s, ${formatDuration(((length - sent) / rate) * 1000)} left`;
  };
}

/** A name as wide as every other. */
export function fitted(name: string): string {
  const text = tame(name);
  if (text.length <= nameWidth) return text.padEnd(nameWidth);
  return `${text.slice(0, nameWidth - 9)}…${text.slice(-8)}`;
}
