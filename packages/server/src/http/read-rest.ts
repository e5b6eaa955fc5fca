import type { IncomingMessage } from "node:http";

import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

/**
 * Leaves a sender alone for moments when its bytes come in many small reads: they gather in the
 * kernel, and one large read costs a fraction of many small ones. Only a steady sender at a
 * network's rate is left to rest: a faster one would be held up. So after each spell of resting its
 * rate is measured anew without.
 */
export class ReadRest {
  readonly #request: IncomingMessage;
  readonly #clock: Clock;
  /** Until then reads are followed by a rest. */
  #restUntil = 0;
  #measuredSince: number;
  #bytes = 0;
  #reads = 0;
  #resting = false;

  constructor(request: IncomingMessage, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
    this.#measuredSince = clock.monotonic();
  }

  /** A chunk was read, at `now` of the monotonic clock. */
  read(bytes: number, now: number): void {
    if (now < this.#restUntil) {
      this.#rest();
      return;
    }
    this.#bytes += bytes;
    this.#reads += 1;
    const elapsedMs = now - this.#measuredSince;
    if (elapsedMs < limits.restMeasureMs) return;
    const bytesPerMs = this.#bytes / elapsedMs;
    const isSmall = this.#bytes / this.#reads < limits.smallReadBytes;
    // Slower than a read a rest there would be nothing to gather.
    const gathers = bytesPerMs * limits.restMs > limits.smallReadBytes / 2;
    if (isSmall && gathers && bytesPerMs <= limits.restBytesPerMsMax) {
      this.#restUntil = now + limits.restSpellMs;
    }
    this.#measuredSince = Math.max(now, this.#restUntil);
    this.#bytes = 0;
    this.#reads = 0;
  }

  #rest(): void {
    if (this.#resting) return;
    const { socket } = this.#request;
    this.#resting = true;
    // Not at once: after each chunk the request itself asks its socket to go on.
    setImmediate(() => socket.pause());
    this.#clock.after(limits.restMs, () => {
      this.#resting = false;
      socket.resume();
    });
  }
}
