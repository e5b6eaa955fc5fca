import { abortable } from "./abortable.ts";

/** Time as the client sees it; passed in, so that tests can run it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `waitMs`; rejects at once when aborted. */
  sleep(waitMs: number, signal: AbortSignal): Promise<void>;
}

/** Chance: a number from 0 up to but not including 1. */
export type Random = () => number;

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (waitMs, signal) => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, waitMs);
    try {
      await abortable(promise, signal);
    } finally {
      clearTimeout(timer);
    }
  },
};
