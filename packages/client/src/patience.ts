import { throwIfAborted } from "./abortable.ts";
import type { Clock, Random } from "./clock.ts";
import type { UploadError } from "./errors.ts";
import { asUploadError, isLineFailure } from "./errors.ts";
import type { Connectivity } from "./platform/connectivity.ts";
import { alwaysOnline } from "./platform/connectivity.ts";
import type { RetryPolicy } from "./retry.ts";
import { decideRetry } from "./retry.ts";

export interface PatienceParts {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly connectivity?: Connectivity | undefined;
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
  readonly #connectivity: Connectivity;
  #failures = 0;
  #total = 0;

  constructor(parts: PatienceParts) {
    this.#parts = parts;
    this.#connectivity = parts.connectivity ?? alwaysOnline;
  }

  /** Failures overcome so far. */
  get total(): number {
    return this.#total;
  }

  /** The offset moved: what failed before no longer counts. */
  renew(): void {
    this.#failures = 0;
  }

  /** Waits as long as the failure calls for, or throws it when it is final. */
  async endure(thrown: unknown, signal: AbortSignal): Promise<void> {
    const { policy, random, onFailure } = this.#parts;
    const error = asUploadError(thrown);
    throwIfAborted(signal);
    if (isLineFailure(error) && !this.#connectivity.isOnline()) {
      await this.#awaitNetwork(error, signal);
      return;
    }
    const decision = decideRetry(error, { failures: this.#failures, policy, random });
    this.#failures += 1;
    if (decision.kind === "stop") throw error.with({ attempts: this.#failures });
    this.#total += 1;
    const waitMs = decision.kind === "wait" ? decision.waitMs : 0;
    onFailure({ reason: "failed", error, failures: this.#failures, waitMs });
    // A server that asks to wait means it, whatever the network does.
    if (waitMs > 0) await this.#wait(waitMs, signal, error.facts.waitMs === undefined);
  }

  async #awaitNetwork(error: UploadError, signal: AbortSignal): Promise<void> {
    const failures = this.#failures;
    this.#total += 1;
    this.#parts.onFailure({ reason: "offline", error, failures, waitMs: offlineMsMax });
    await this.#wait(offlineMsMax, signal, true);
  }

  /** @param wakes whether the network's return ends it early */
  async #wait(waitMs: number, signal: AbortSignal, wakes: boolean): Promise<void> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const ends = [this.#parts.clock.sleep(waitMs, either)];
    if (wakes) ends.push(this.#connectivity.untilOnline(either));
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
