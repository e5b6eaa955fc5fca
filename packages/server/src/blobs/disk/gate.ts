/** Lets at most `width` operations run at a time, in the order they came. */
export class Gate {
  readonly #width: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  async run<Result>(operation: () => Promise<Result>): Promise<Result> {
    await this.enter();
    try {
      return await operation();
    } finally {
      this.leave();
    }
  }

  /** Resolves when there is a place, which is then the caller's until it leaves. */
  async enter(): Promise<void> {
    if (this.#running < this.#width) {
      this.#running += 1;
      return;
    }
    await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  leave(): void {
    const next = this.#queue.shift();
    // The place is handed over, not freed: a newcomer cannot slip in between.
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
