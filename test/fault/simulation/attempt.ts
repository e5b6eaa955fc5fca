import { createHash } from "node:crypto";
import { crc32 } from "../../../packages/server/src/base/crc32.ts";
import type { CompletionRule } from "../../../packages/server/src/catalog/records.ts";
import type { AppendCompletion } from "../../../packages/server/src/engine/append-length.ts";
import type { DigestAlgorithm } from "../../../packages/server/src/engine/body-digest.ts";
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
  readonly completes: AppendCompletion;
  /** The whole length as it tells it, outright or by what its body announces. */
  readonly declared: number | undefined;
  /** Whether its bytes are those that its digest is of; undefined where it has none. */
  readonly digest: "right" | "wrong" | undefined;
  /** The length that was known when it was sent. */
  readonly lengthBefore: number | undefined;
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

/** What the program was given of it ends here. */
export function endOf({ start, body }: Attempt): number {
  return start + body.deliveredBytes;
}

/** Whether anything of it may count by now: one with a digest has to end whole and match first. */
export function isProven({ digest, body }: Attempt): boolean {
  return digest === undefined || (digest === "right" && body.ending === "clean");
}

/** Whether its clean end at the upload's length completes an upload of this kind. */
export function mayComplete({ body, completes }: Attempt, rule: CompletionRule): boolean {
  return body.ending === "clean" && (completes !== "as_created" || rule === "at_length");
}

/** A CRC-32 most significant byte first, as the protocols have it. */
export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): Buffer {
  if (algorithm !== "crc32") return createHash(algorithm).update(bytes).digest();
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest;
}
