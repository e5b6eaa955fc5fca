import { setTimeout as sleep } from "node:timers/promises";

export interface EventuallyOptions {
  /** What is being waited for, for the message when it never comes. */
  readonly what: string;
  /** A hang guard, not an assertion about speed. */
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/** Asks again and again until the answer is something other than undefined. */
export async function eventually<Value>(
  ask: () => Promise<Value | undefined> | Value | undefined,
  { what, timeoutMs = 15_000, intervalMs = 20 }: EventuallyOptions,
): Promise<Value> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (performance.now() > giveUpAt) {
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    }
    await sleep(intervalMs);
  }
}

/** A hang guard around one promise: fails with the name of what did not happen. */
export async function within<Value>(
  pending: Promise<Value>,
  { what, timeoutMs = 15_000 }: EventuallyOptions,
): Promise<Value> {
  const guard = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    guard.reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`));
  }, timeoutMs);
  try {
    return await Promise.race([pending, guard.promise]);
  } finally {
    clearTimeout(timer);
  }
}
