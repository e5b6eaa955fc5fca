/** The operations that are under way, and nothing of those that have ended: an append may last days. */
export class Operations {
  #ended: Promise<void> = Promise.resolve();

  /** The operation itself, which `ended` waits for from now on. */
  track<Result>(operation: Promise<Result>): Promise<Result> {
    this.#ended = Promise.allSettled([this.#ended, operation]).then(nothing);
    return operation;
  }

  /** Resolves once all that was tracked before has ended, well or not. */
  get ended(): Promise<void> {
    return this.#ended;
  }
}

/** Without it the results would be kept, each with those before it. */
function nothing(): void {
  return;
}
