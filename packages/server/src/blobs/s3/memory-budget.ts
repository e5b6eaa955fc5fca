/** Memory that is being filled, and could be put to use before it is full. */
export interface Filling {
  /** Accounted memory; 0 where nothing is in it that could be cut. */
  readonly heldBytes: number;
  /** Ends the filling and sends off what is there; leaves the budget's list before it returns. */
  cut(): void;
}

interface Waiter {
  readonly bytes: number;
  readonly grant: () => void;
}

/**
 * Memory that many share, given out in the order it was asked for. When it is used up, the largest
 * filling is cut short: what is sent off comes back, what is being filled may wait for its sender.
 */
export class MemoryBudget {
  readonly #bytesMax: number;
  readonly #fillings = new Set<Filling>();
  readonly #waiters: Waiter[] = [];
  #heldBytes = 0;
  #relieving = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether there is enough for generosity. */
  get isRoomy(): boolean {
    return this.#waiters.length === 0 && this.#heldBytes * 2 < this.#bytesMax;
  }

  /** Resolves when the memory is the caller's, who gives it back. More than all is given alone. */
  async take(bytes: number): Promise<void> {
    if (this.#waiters.length === 0 && this.#fits(bytes)) {
      this.#heldBytes += bytes;
      return;
    }
    const granted = new Promise<void>((resolve) => {
      this.#waiters.push({ bytes, grant: resolve });
    });
    this.#relieve();
    await granted;
  }

  give(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#grant();
    this.#relieve();
  }

  add(filling: Filling): void {
    this.#fillings.add(filling);
  }

  delete(filling: Filling): void {
    this.#fillings.delete(filling);
  }

  #fits(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#bytesMax || this.#heldBytes === 0;
  }

  #grant(): void {
    for (;;) {
      const [first] = this.#waiters;
      if (first === undefined || !this.#fits(first.bytes)) return;
      this.#waiters.shift();
      this.#heldBytes += first.bytes;
      first.grant();
    }
  }

  /** Sees to it that enough is on its way back for those who wait, up to a quarter of all. */
  #relieve(): void {
    const [first] = this.#waiters;
    if (first === undefined || this.#relieving) return;
    this.#relieving = true;
    let wanted = 0;
    for (const { bytes } of this.#waiters) wanted += bytes;
    wanted = Math.max(first.bytes, Math.min(wanted, this.#bytesMax / 4));
    let filling = 0;
    for (const { heldBytes } of this.#fillings) filling += heldBytes;
    while (this.#bytesMax - filling < wanted) {
      const largest = this.#largest();
      if (largest === undefined) break;
      filling -= largest.heldBytes;
      largest.cut();
    }
    this.#relieving = false;
    this.#grant();
  }

  #largest(): Filling | undefined {
    let largest: Filling | undefined;
    for (const filling of this.#fillings) {
      if (filling.heldBytes > (largest?.heldBytes ?? 0)) largest = filling;
    }
    return largest;
  }
}
