import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";

export interface StopParts {
  readonly clock: Clock;
  readonly log: Log;
  /** What was told to end; it is waited for as long as a drain may take. */
  readonly working: readonly Promise<unknown>[];
  /** Closes everything, once nobody works with it or is waited for any more. */
  readonly close: () => Promise<void>;
}

/** Ends within `limits.stopMsMax`, closed or not: what is left undone goes on at the next start. */
export async function stopInTime({ clock, log, working, close }: StopParts): Promise<void> {
  const inOrder = async (): Promise<void> => {
    const work = Promise.all(working);
    if (!(await endsWithin(clock, limits.drainMsMax, work))) {
      log.warn({}, "what is left to sweep or to assemble goes on at the next start");
    }
    await close();
  };
  if (!(await endsWithin(clock, limits.stopMsMax, inOrder()))) {
    log.warn({}, "not everything could be closed in time");
  }
}

/** False when the time was up first; an error when the work failed before that. */
async function endsWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const cancel = clock.after(ms, () => {
    late.resolve(false);
  });
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    cancel();
  }
}
