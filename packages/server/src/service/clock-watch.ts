import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

/**
 * Notices that the wall clock was set. What is due goes by that clock, and removal cannot be undone:
 * after a jump nothing is due until somebody has had the time to set it right again.
 */
export class ClockWatch {
  readonly #clock: Clock;
  #apart: number;
  #calmFrom = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#apart = this.#measure();
  }

  /** How long nothing is to be due, in milliseconds; 0 when the clock can be gone by. */
  pauseMs(): number {
    const apart = this.#measure();
    const now = this.#clock.monotonic();
    if (Math.abs(apart - this.#apart) > limits.clockJumpMs) {
      this.#calmFrom = now + limits.clockPauseMs;
    }
    this.#apart = apart;
    return Math.max(0, this.#calmFrom - now);
  }

  #measure(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }
}
