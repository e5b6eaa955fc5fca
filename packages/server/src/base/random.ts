import { randomBytes, randomInt, randomUUID } from "node:crypto";

/** Chance, passed in so that a seeded run can own it. */
export interface Random {
  bytes(count: number): Buffer;
  /** A version 4 UUID in lower case. */
  uuid(): string;
  /** A decimal id of 15 or 16 digits, exact as a JavaScript number. */
  numericId(): string;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  uuid: () => randomUUID(),
  // Two draws, because randomInt takes ranges below 2^48 only.
  numericId: () =>
    `${randomInt(1, 10_000_000)}${String(randomInt(0, 1_000_000_000)).padStart(9, "0")}`,
};
