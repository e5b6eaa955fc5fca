import { setTimeout as sleep } from "node:timers/promises";
import type { SingleBar } from "cli-progress";
import progress from "cli-progress";
import { UploadError } from "hawser-client";
import { formatBytes, formatShare } from "./amounts.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { isWatched, note, print, printJson, tame } from "./output.ts";
import { barOptions, fitted, paceOf } from "./put-bars.ts";

/** Looks that fail in a row before giving up; a server may well be away for a while. */
const failuresMax = 60;

/** What one look shows. */
export interface Look {
  readonly offset: number;
  /** Unknown to services that tell the offset alone. */
  readonly length?: number | undefined;
  readonly status?: string | undefined;
}

export interface WatchParts<Seen extends Look> {
  readonly look: () => Promise<Seen>;
  readonly label: string;
  readonly json: boolean;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Looks again and again until the upload is complete, and answers the last look. */
export async function watchStatus<Seen extends Look>(
  parts: WatchParts<Seen>,
): Promise<{ readonly seen?: Seen; readonly exitCode: ExitCode }> {
  const { json, label, signal, intervalMs } = parts;
  const view = openView(label, json);
  try {
    for (let failures = 0; ;) {
      const seen = await parts.look().catch((error: unknown) => {
        failures += 1;
        if (!isPassing(error) || failures >= failuresMax) throw error;
        if (failures === 1) note(`${tame(error.message)}; asking again`);
        return undefined;
      });
      if (seen !== undefined) {
        failures = 0;
        view.show(seen);
        if (isOver(seen, label)) return { seen, exitCode: exitCodes.ok };
      }
      await sleep(intervalMs, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted) return { exitCode: exitCodes.interrupted };
    throw error;
  } finally {
    view.close();
  }
}

function isPassing(error: unknown): error is UploadError {
  const passing = ["network", "stalled", "server-trouble", "rate-limited", "bad-answer"];
  return error instanceof UploadError && passing.includes(error.code);
}

/** True when complete; throws when it never will be. */
function isOver({ offset, length, status }: Look, label: string): boolean {
  if (status === undefined) return length !== undefined && offset >= length;
  if (status === "open" || status === "complete") return status === "complete";
  const isGone = status === "cancelled" || status === "expired";
  throw new CommandError(
    isGone ? exitCodes.notFound : exitCodes.failed,
    `${tame(label)} is ${tame(status)}`,
    "Upload the file again.",
  );
}

interface View {
  show(seen: Look): void;
  close(): void;
}

function openView(label: string, json: boolean): View {
  if (!json && isWatched()) return barView(label);
  let told = "";
  const tell = (seen: Look) => {
    if (json) printJson(seen);
    else print(lineOf(label, seen));
  };
  return {
    // An upload that stands still is not told of every second.
    show: (seen) => {
      const key = JSON.stringify([seen.offset, seen.status]);
      if (key !== told) tell(seen);
      told = key;
    },
    close: () => undefined,
  };
}

function lineOf(label: string, { offset, length, status = "open" }: Look): string {
  const all =
    length === undefined ? "" : ` of ${formatBytes(length)} (${formatShare(offset, length)})`;
  return `${tame(label)}: ${formatBytes(offset)}${all}, ${status}`;
}

function barView(label: string): View {
  const bar: SingleBar = new progress.SingleBar(barOptions);
  const pace = paceOf();
  const sizesOf = ({ offset, length }: Look) =>
    length === undefined ? formatBytes(offset) : formatBytes(length);
  bar.start(1, 0, { name: fitted(label), sizes: "", pace: "" });
  return {
    show: (seen) => {
      // Without a length the bar stays empty; the bytes are told beside it.
      const { offset, length = Number.MAX_SAFE_INTEGER } = seen;
      bar.setTotal(length);
      bar.update(offset, { sizes: sizesOf(seen), pace: pace({ sent: offset, length }) });
    },
    close: () => {
      bar.stop();
    },
  };
}
