import { abortable } from "./abortable.ts";

/** Lets uploads have their turn. */
export interface Gate {
  /**
   * Resolves when it is the caller's turn, with what ends the turn, to be called once; rejects when
   * aborted before.
   *
   * @param again the caller had a turn before, and gave it up: it goes before those who had none
   */
  enter(signal: AbortSignal, again: boolean): Promise<() => void>;
}

export const openGate: Gate = {
  enter: () => Promise.resolve(() => undefined),
};

/** So many turns at the same time, in the order in which they were asked for. */
export class Turns implements Gate {
  readonly #parallel: number;
  readonly #back = new Set<() => void>();
  readonly #fresh = new Set<() => void>();
  #taken = 0;
  #closed = false;

  constructor(parallel: number) {
    this.#parallel = parallel;
  }

  /** While closed nobody gets a turn; those that are taken go on. */
  set closed(closed: boolean) {
    this.#closed = closed;
    this.#serve();
  }

  enter(signal: AbortSignal, again: boolean): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<() => void>();
    const waiting = again ? this.#back : this.#fresh;
    const begin = () => {
      waiting.delete(begin);
      this.#taken += 1;
      resolve(() => {
        this.#taken -= 1;
        this.#serve();
      });
    };
    if (!signal.aborted) waiting.add(begin);
    // At once, lest it begins after the end; who has begun is no longer there.
    signal.addEventListener("abort", () => waiting.delete(begin));
    this.#serve();
    return abortable(promise, signal);
  }

  #serve(): void {
    for (const waiting of [this.#back, this.#fresh]) {
      for (const begin of waiting) {
        if (this.#closed || this.#taken >= this.#parallel) return;
        begin();
      }
    }
  }
}
