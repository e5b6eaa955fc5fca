import type { Random } from "../../../packages/server/src/base/random.ts";
import { SeededRandom } from "../../support/seeded.ts";

/** Seeded chance: for the program as its source of nonces, for the simulation as its dice. */
export class Chance implements Random {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** True once in `1 / probability` times. */
  happens(probability: number): boolean {
    return probability > 0 && this.#random.fraction() < probability;
  }

  integer(least: number, most: number): number {
    return this.#random.integer(least, most);
  }

  pick<Item>(items: readonly Item[]): Item {
    return this.#random.pick(items);
  }

  shuffled<Item>(items: Iterable<Item>): Item[] {
    return [...items]
      .map((item) => ({ item, place: this.#random.word() }))
      .sort((one, other) => one.place - other.place)
      .map(({ item }) => item);
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.ceil(count / 4) * 4);
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(this.#random.word(), at);
    return bytes.subarray(0, count);
  }

  uuid(): string {
    const digits = this.bytes(16).toString("hex");
    return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  }

  numericId(): string {
    return String(this.#random.integer(1e14, 9e14));
  }
}
