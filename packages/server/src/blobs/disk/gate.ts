/** Lets at most `width` operations run at a time, in the order they came. */
export class Gate {
  readonly #width: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  async run<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#width) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await operation();
    } finally {
      const next = this.#queue.shift();
      // The place is handed over, not freed: a newcomer cannot slip in between.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
