import type { Clock } from "../../packages/server/src/base/clock.ts";

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** Time that passes only when a test says so. */
export class ManualClock implements Clock {
  #now: number;
  #timers: Timer[] = [];

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  /** Lets time pass, and runs what was waiting for it. */
  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { task } of due) task();
  }

  sleep(ms: number): Promise<void> {
    const passed = Promise.withResolvers<undefined>();
    this.after(ms, () => {
      passed.resolve(undefined);
    });
    return passed.promise;
  }

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.#now + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
}
