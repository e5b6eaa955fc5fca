import type { UploadResult } from "hawser-client";
import { formatBytes, formatDuration } from "./amounts.ts";

/** What all files together came to; the `summary` event of `--json`. */
export interface Tally {
  /** Complete on the server now. */
  readonly files: number;
  /** Of those: gone on with, or found complete from an earlier run. */
  readonly resumed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Length of the complete files. */
  readonly bytes: number;
  /** Of those bytes: sent by this run. */
  readonly sentBytes: number;
  readonly durationMs: number;
  readonly bytesPerSecond: number;
}

/** Adds up while the files end. */
export class TallyKeeper {
  readonly #startedMs = performance.now();
  #files = 0;
  #resumed = 0;
  #failed = 0;
  #skipped = 0;
  #bytes = 0;
  #sentBytes = 0;

  done({ bytes, resumedFrom }: UploadResult): void {
    this.#files += 1;
    this.#resumed += resumedFrom > 0 ? 1 : 0;
    this.#bytes += bytes;
    this.#sentBytes += bytes - resumedFrom;
  }

  failed(): void {
    this.#failed += 1;
  }

  skipped(): void {
    this.#skipped += 1;
  }

  read(): Tally {
    const durationMs = Math.round(performance.now() - this.#startedMs);
    const sentBytes = this.#sentBytes;
    return {
      files: this.#files,
      resumed: this.#resumed,
      failed: this.#failed,
      skipped: this.#skipped,
      bytes: this.#bytes,
      sentBytes,
      durationMs,
      bytesPerSecond: Math.round((sentBytes / Math.max(durationMs, 1)) * 1000),
    };
  }
}

/** `12 files, 3.4 GiB in 2 min 3 s (28 MiB/s), 2 resumed, 1 failed, 3 skipped`. */
export function tallyLine(tally: Tally): string {
  const { files, bytes, durationMs, bytesPerSecond } = tally;
  const count = `${files} ${files === 1 ? "file" : "files"}`;
  const rate = bytesPerSecond === 0 ? "" : ` (${formatBytes(bytesPerSecond)}/s)`;
  const extras = (["resumed", "failed", "skipped"] as const).flatMap((kind) =>
    tally[kind] === 0 ? [] : [`${tally[kind]} ${kind}`],
  );
  const all = `${count}, ${formatBytes(bytes)} in ${formatDuration(durationMs)}${rate}`;
  return [all, ...extras].join(", ");
}
