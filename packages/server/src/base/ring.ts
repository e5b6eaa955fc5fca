/** The last of many items, counted: whoever remembers a count gets what came since. */
export class Ring<Item> {
  readonly #most: number;
  #items: Item[] = [];
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many there ever were. */
  get count(): number {
    return this.#count;
  }

  push(item: Item): void {
    this.#count += 1;
    this.#items.push(item);
    if (this.#items.length > this.#most) this.#items.shift();
  }

  /** Those that came after there were `count`, as far as they are kept; the oldest first. */
  since(count: number): Item[] {
    return this.#items.slice(Math.max(this.#items.length - (this.#count - count), 0));
  }
}
