import { limits } from "../base/limits.ts";

/** When an append that goes on should be made durable in between. */
export class CheckpointPolicy {
  #waitingBytes = 0;
  #waitingSince = 0;
  #lastSyncMs = 0;
  readonly #msMin: number;

  /** @param msMin how long bytes may wait at least, however fast the store is */
  constructor(msMin: number) {
    this.#msMin = msMin;
  }

  /** @param since when the first of the bytes came, on the monotonic clock */
  written(bytes: number, since: number): void {
    if (this.#waitingBytes === 0) this.#waitingSince = since;
    this.#waitingBytes += bytes;
  }

  /** @param stillWaiting bytes that the checkpoint left, by the clock's `now` */
  checkpointed(syncMs: number, stillWaiting: number, now: number): void {
    this.#waitingBytes = stillWaiting;
    this.#waitingSince = now;
    this.#lastSyncMs = syncMs;
  }

  get isDue(): boolean {
    return this.#waitingBytes >= limits.checkpointBytes;
  }

  /** How long what was written may still wait, or undefined when nothing waits. */
  waitMs(now: number): number | undefined {
    if (this.#waitingBytes === 0) return undefined;
    return Math.max(0, this.#waitingSince + this.#mostMs() - now);
  }

  #mostMs(): number {
    if (this.#waitingBytes < limits.trickleBytesMax)
      return Math.max(this.#msMin, limits.trickleCheckpointMs);
    return Math.max(this.#msMin, limits.checkpointSyncFactor * this.#lastSyncMs);
  }
}
