import { abortedBy } from "./abortable.ts";

/** Lets uploads have their turn. */
export interface Gate {
  /**
   * Resolves when it is the caller's turn, with what ends the turn; rejects when aborted before.
   *
   * @param again the caller had a turn before, and gave it up: it goes before those who had none
   */
  enter(signal: AbortSignal, again: boolean): Promise<() => void>;
}

export const openGate: Gate = Object.freeze({
  enter: () => Promise.resolve(() => undefined),
});

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
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    const waiting = again ? this.#back : this.#fresh;
    const begin = () => {
      waiting.delete(begin);
      signal.removeEventListener("abort", giveUp);
      this.#taken += 1;
      resolve(this.#leaving());
    };
    const giveUp = () => {
      waiting.delete(begin);
      reject(abortedBy(signal));
    };
    if (signal.aborted) {
      giveUp();
      return promise;
    }
    signal.addEventListener("abort", giveUp, { once: true });
    waiting.add(begin);
    this.#serve();
    return promise;
  }

  #leaving(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#taken -= 1;
      this.#serve();
    };
  }

  #serve(): void {
    while (!this.#closed && this.#taken < this.#parallel) {
      const next = first(this.#back) ?? first(this.#fresh);
      if (next === undefined) return;
      next();
    }
  }
}

function first<Item>(items: Iterable<Item>): Item | undefined {
  for (const item of items) return item;
  return undefined;
}
