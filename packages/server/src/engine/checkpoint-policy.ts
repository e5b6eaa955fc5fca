import { limits } from "../base/limits.ts";

/** When an append that goes on should be made durable in between. */
export class CheckpointPolicy {
  #waitingBytes = 0;
  #waitingSince = 0;
  #lastSyncMs = 0;

  /** @param since when the first of the bytes came, on the monotonic clock */
  written(bytes: number, since: number): void {
    if (this.#waitingBytes === 0) this.#waitingSince = since;
    this.#waitingBytes += bytes;
  }

  checkpointed(syncMs: number): void {
    this.#waitingBytes = 0;
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
    if (this.#waitingBytes < limits.trickleBytesMax) return limits.trickleCheckpointMs;
    return Math.max(limits.checkpointMsMin, limits.checkpointSyncFactor * this.#lastSyncMs);
  }
}
