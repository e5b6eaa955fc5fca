import { throwIfAborted } from "./abortable.ts";
import type { UploadError } from "./errors.ts";
import { asUploadError, isLineFailure } from "./errors.ts";
import type { Tools } from "./platform/platform.ts";
import type { RetryPolicy } from "./retry.ts";
import { retryWaitMs } from "./retry.ts";

export interface PatienceParts extends Omit<Tools, "crc32"> {
  readonly policy: RetryPolicy;
  readonly onFailure: (failure: Failure) => void;
}

export interface Failure {
  /** `offline`: the machine has no network, which counts as no failure. */
  readonly reason: "failed" | "offline";
  readonly error: UploadError;
  /** So far without the offset moving. */
  readonly failures: number;
  readonly waitMs: number;
}

/** A machine may be wrong in thinking that it has no network: then it is tried all the same. */
const offlineMsMax = 30_000;

/** Counts failures, waits between tries, and gives up when the budget is spent. */
export class Patience {
  readonly #parts: PatienceParts;
  #failures = 0;
  /** Failures overcome so far. */
  total = 0;

  constructor(parts: PatienceParts) {
    this.#parts = parts;
  }

  /** The offset moved: what failed before no longer counts, or as one failure. */
  renew(left: 0 | 1 = 0): void {
    this.#failures = Math.min(this.#failures, left);
  }

  /** Waits as long as the failure calls for, or throws it when it is final. */
  async endure(thrown: unknown, signal: AbortSignal): Promise<void> {
    const { policy, random, connectivity, onFailure } = this.#parts;
    const error = asUploadError(thrown);
    throwIfAborted(signal);
    const isOffline = isLineFailure(error) && connectivity?.isOnline() === false;
    const situation = { failures: this.#failures, policy, random };
    const waitMs = isOffline ? offlineMsMax : retryWaitMs(error, situation);
    if (!isOffline) this.#failures += 1;
    const failures = this.#failures;
    if (waitMs === undefined) throw error.with({ attempts: failures });
    this.total += 1;
    onFailure({ reason: isOffline ? "offline" : "failed", error, failures, waitMs });
    // A server that asks to wait means it, whatever the network does.
    if (waitMs > 0) await this.#wait(waitMs, signal, isOffline || error.facts.waitMs === undefined);
  }

  /** @param wakes whether the network's return ends it early */
  async #wait(waitMs: number, signal: AbortSignal, wakes: boolean): Promise<void> {
    const { clock, connectivity } = this.#parts;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const ends: Promise<unknown>[] = [clock.sleep(waitMs, either)];
    if (wakes && connectivity) ends.push(connectivity.untilOnline(either));
    await Promise.race(ends).catch(() => undefined);
    over.abort();
    throwIfAborted(signal);
  }

  /** Repeats a step that changes nothing by being repeated. */
  async persist<T>(step: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      throwIfAborted(signal);
      try {
        return await step();
      } catch (error) {
        await this.endure(error, signal);
      }
    }
  }
}
