import type { Clock } from "../base/clock.ts";

const CHECK_MS = 1_000;

export interface WatchedBody {
  /** Looks whether the sender still keeps to the limits; `now` is monotonic. */
  check(now: number): void;
  stop(): void;
}

/** Every body that is open, under one timer: ten thousand slow uploads must not cost as many. */
export class BodyWatch {
  readonly #clock: Clock;
  readonly #bodies = new Set<WatchedBody>();
  #stopped = false;
  #ticking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(body: WatchedBody): void {
    // A body that comes while the server is stopping is not begun.
    if (this.#stopped) {
      body.stop();
      return;
    }
    this.#bodies.add(body);
    this.#schedule();
  }

  delete(body: WatchedBody): void {
    this.#bodies.delete(body);
  }

  /** Stops every body, now and in future. */
  stopAll(): void {
    this.#stopped = true;
    for (const body of [...this.#bodies]) body.stop();
  }

  #schedule(): void {
    if (this.#ticking || this.#bodies.size === 0) return;
    this.#ticking = true;
    this.#clock.after(CHECK_MS, () => {
      this.#ticking = false;
      const now = this.#clock.monotonic();
      for (const body of [...this.#bodies]) body.check(now);
      this.#schedule();
    });
  }
}
