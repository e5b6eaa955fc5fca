import { limits } from "../base/limits.ts";

/** When an append that goes on should be made durable in between. */
export class CheckpointPolicy {
  #waitingBytes = 0;
  #lastSyncMs = 0;

  written(bytes: number): void {
    this.#waitingBytes += bytes;
  }

  checkpointed(syncMs: number): void {
    this.#waitingBytes = 0;
    this.#lastSyncMs = syncMs;
  }

  get isDue(): boolean {
    return this.#waitingBytes >= limits.checkpointBytes;
  }

  /** How long what was written may wait, or undefined when nothing waits. */
  get waitMs(): number | undefined {
    if (this.#waitingBytes === 0) return undefined;
    if (this.#waitingBytes < limits.trickleBytesMax) return limits.trickleCheckpointMs;
    return Math.max(limits.checkpointMsMin, limits.checkpointSyncFactor * this.#lastSyncMs);
  }
}
