import type { UploadProgress, UploadState } from "hawser-client";
import { describeFailure, toJson } from "./failure.ts";
import { note, printJson } from "./output.ts";
import type { FileDisplay, PutDisplay, ShownFile } from "./put-display.ts";
import type { Tally } from "./put-tally.ts";

const progressEveryMs = 1000;

/**
 * An object a line on stdout for everything that happens ("hawser help json" lists them); with
 * `quiet` only how each file ended and the summary.
 */
export class JsonDisplay implements PutDisplay {
  readonly #quiet: boolean;

  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  begin({ file, name }: ShownFile): FileDisplay {
    const startedMs = performance.now();
    const durationMs = () => Math.round(performance.now() - startedMs);
    this.#tell({ event: "begin", file, name });
    return {
      progress: this.#progressOf(file),
      state: (state) => {
        this.#tellState(file, state);
      },
      warning: ({ code, message }) => {
        this.#tell({ event: "warning", file, code, message });
      },
      done: (result) => {
        printJson({ event: "done", file, name, ...result, durationMs: durationMs() });
      },
      failed: (failure) => {
        const error = toJson(failure);
        printJson({ event: "failed", file, name, error, durationMs: durationMs() });
      },
    };
  }

  skipped(file: string, reason: string): void {
    this.#tell({ event: "skipped", file, reason });
  }

  note(line: string): void {
    if (!this.#quiet) note(line);
  }

  close(tally: Tally): void {
    printJson({ event: "summary", ...tally });
  }

  #tell(event: object): void {
    if (!this.#quiet) printJson(event);
  }

  #tellState(file: string, state: UploadState): void {
    if (state.kind === "uploading") this.#tell({ event: "uploading", file, ...idOf(state) });
    if (state.kind !== "retrying") return;
    const { reason, failures, waitMs } = state;
    const error = toJson(describeFailure(state.error));
    this.#tell({ event: "retrying", file, reason, failures, waitMs, error });
  }

  /** The first one, then one a second, and the last one. */
  #progressOf(file: string): (progress: UploadProgress) => void {
    let toldMs = -Infinity;
    return ({ sent, confirmed, length }) => {
      const nowMs = performance.now();
      if (confirmed < length && nowMs - toldMs < progressEveryMs) return;
      toldMs = nowMs;
      this.#tell({ event: "progress", file, sent, confirmed, length });
    };
  }
}

function idOf({ id, offset }: { id: string; offset: number }): object {
  return { id, offset };
}
