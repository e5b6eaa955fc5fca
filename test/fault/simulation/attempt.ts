import { Chance } from "./chance.ts";
import type { SimulatedBody } from "./simulated-body.ts";

/** Every attempt sends bytes of its own, so that it can be told whose bytes are where. */
const pool = new Chance(20_000).bytes(1 << 20);
const strideBytes = 4_099;

/** One append as its sender knows it. */
export interface Attempt {
  readonly number: number;
  readonly uploadId: string;
  /** Where it asked to begin. */
  readonly start: number;
  readonly body: SimulatedBody;
  /** The offset that somebody had been told when it was sent. */
  readonly toldBefore: number;
  /** Faults that had been injected when it was sent. */
  readonly faultsBefore: number;
}

/** What attempt `number` sends for the bytes [from, to) of its upload. */
export function sentBytes(number: number, from: number, to: number): Buffer {
  const base = (number * strideBytes) % (pool.length / 2);
  return pool.subarray(base + from, base + to);
}
