import { setTimeout as sleep } from "node:timers/promises";
import type { UploadErrorCode } from "hawser-client";
import { UploadError } from "hawser-client";

const attemptsMax = 6;
const waitMs = 500;

export interface Persistence {
  readonly signal: AbortSignal;
  /** Told before each wait. */
  readonly onRetry: (error: UploadError, waitMs: number) => void;
}

export interface Attempts<Result> extends Persistence {
  readonly attempt: () => Promise<Result>;
  /** Whether the attempt that failed got any further: then what failed before no longer counts. */
  readonly hasProgressed?: () => boolean;
}

const passing: readonly UploadErrorCode[] = [
  "network",
  "stalled",
  "server-trouble",
  "rate-limited",
];

/**
 * Repeats what changes nothing by being repeated, while it fails for a reason that passes: six
 * times without progress, which with the waits between them is half a minute.
 */
export async function persist<Result>(attempts: Attempts<Result>): Promise<Result> {
  const { attempt, hasProgressed, onRetry, signal } = attempts;
  for (let failures = 0; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UploadError) || !passing.includes(error.code)) throw error;
      failures = hasProgressed?.() === true ? 1 : failures + 1;
      if (failures >= attemptsMax) throw error.with({ attempts: failures });
      const pauseMs = waitMs * 2 ** failures;
      onRetry(error, pauseMs);
      await pause(pauseMs, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw new UploadError("aborted", "it was stopped", { cause: error });
  }
}
