import { asError } from "./errors.ts";

/** Lets at most `width` operations run at a time, in the order they came. */
export class Gate {
  readonly #width: number;
  readonly #queue = new Set<() => void>();
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  async run<Result>(operation: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    await this.enter(signal);
    try {
      return await operation();
    } finally {
      this.leave();
    }
  }

  /**
   * Resolves when there is a place, which is then the caller's until it leaves. Rejects with the
   * signal's reason when that is aborted before.
   */
  async enter(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#running < this.#width) {
      this.#running += 1;
      return;
    }
    const turn = Promise.withResolvers<undefined>();
    const go = (): void => {
      turn.resolve(undefined);
    };
    const giveUp = (): void => {
      this.#queue.delete(go);
      turn.reject(asError(signal?.reason));
    };
    this.#queue.add(go);
    signal?.addEventListener("abort", giveUp);
    await turn.promise.finally(() => signal?.removeEventListener("abort", giveUp));
  }

  leave(): void {
    const [next] = this.#queue;
    // The place is handed over, not freed: a newcomer cannot slip in between.
    if (next === undefined) this.#running -= 1;
    else {
      this.#queue.delete(next);
      next();
    }
  }
}
