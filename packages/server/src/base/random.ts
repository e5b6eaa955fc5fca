import { randomBytes, randomFillSync, randomInt, randomUUID } from "node:crypto";

/** Chance, passed in so that a seeded run can own it. */
export interface Random {
  bytes(count: number): Buffer;
  /** A version 4 UUID in lower case. */
  uuid(): string;
  /** A decimal id of 15 or 16 digits, exact as a JavaScript number. */
  numericId(): string;
}

/** Drawn ahead: one call for many small draws, of which every request makes a few. */
const drawn = Buffer.alloc(4_096);
let used = drawn.length;

function bytes(count: number): Buffer {
  if (count > drawn.length) return randomBytes(count);
  if (used + count > drawn.length) {
    randomFillSync(drawn);
    used = 0;
  }
  const piece = Buffer.from(drawn.subarray(used, used + count));
  // Nobody who reads this memory later finds what was given out.
  drawn.fill(0, used, used + count);
  used += count;
  return piece;
}

export const systemRandom: Random = {
  bytes,
  uuid: () => randomUUID(),
  // Two draws, because randomInt takes ranges below 2^48 only.
  numericId: () =>
    `${randomInt(1, 10_000_000)}${String(randomInt(0, 1_000_000_000)).padStart(9, "0")}`,
};
