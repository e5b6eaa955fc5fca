import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

const CHECK_MS = 1_000;

export interface WatchedBody {
  /** Looks whether the sender still keeps to the limits; `now` is monotonic. */
  check(now: number): void;
  stop(): void;
}

/** Every body that is open, what they hold together, under one timer: ten thousand slow uploads must not cost as many. */
export class BodyWatch {
  readonly #clock: Clock;
  readonly #bodies = new Set<WatchedBody>();
  #stopped = false;
  #ticking = false;
  #heldBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether what waits in all bodies together is as much as this process should hold. */
  get isFull(): boolean {
    return this.#heldBytes >= limits.heldBytesMax;
  }

  /** Bytes were gathered, or, below zero, given away. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
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
      for (const body of this.#bodies) body.check(now);
      this.#schedule();
    });
  }
}
