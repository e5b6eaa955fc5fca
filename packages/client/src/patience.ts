import { throwIfAborted } from "./abortable.ts";
import type { Clock, Random } from "./clock.ts";
import type { UploadError } from "./errors.ts";
import { asUploadError } from "./errors.ts";
import type { RetryPolicy } from "./retry.ts";
import { decideRetry } from "./retry.ts";

export interface PatienceParts {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFailure: (error: UploadError, failures: number, waitMs: number) => void;
}

/** Counts failures, waits between tries, and gives up when the budget is spent. */
export class Patience {
  readonly #parts: PatienceParts;
  #failures = 0;
  #total = 0;

  constructor(parts: PatienceParts) {
    this.#parts = parts;
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
    const { policy, random, clock, onFailure } = this.#parts;
    const error = asUploadError(thrown);
    throwIfAborted(signal);
    const decision = decideRetry(error, { failures: this.#failures, policy, random });
    this.#failures += 1;
    if (decision.kind === "stop") throw error.with({ attempts: this.#failures });
    this.#total += 1;
    const waitMs = decision.kind === "wait" ? decision.waitMs : 0;
    onFailure(error, this.#failures, waitMs);
    if (waitMs === 0) return;
    await clock.sleep(waitMs, signal).catch(() => undefined);
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
