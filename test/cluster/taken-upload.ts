import { crc32 } from "node:zlib";

import type { GraphPeer } from "../fault/graph-peer.ts";
import { firstStrangeByte, patternBytes } from "../support/seeded.ts";

/** What no history may show. */
export class BrokenHistoryError extends Error {
  override readonly name = "BrokenHistoryError";
}

/** One request that was let write, from an offset on. */
export interface Take {
  readonly from: number;
  readonly seed: number;
  /** Where the last byte that was sent ends. */
  sentTo: number;
}

/**
 * The history of an upload that is taken over again and again. Every take sends bytes of its own,
 * so that a byte that lies between its offset and the next take's, and is another take's, is one
 * which a writer that had been superseded wrote over an acknowledged one.
 */
export class TakenUpload {
  readonly id: string;
  readonly length: number;
  readonly #takes: Take[] = [];
  #seed: number;
  #acknowledged = 0;

  constructor(id: string, length: number, seed: number) {
    this.id = id;
    this.length = length;
    this.#seed = seed;
  }

  get takes(): readonly Take[] {
    return this.#takes;
  }

  /** A request at this offset was told to go on: what comes from here on is its own. */
  accept(from: number): Take {
    const last = this.#takes.at(-1);
    if (from < this.#acknowledged) {
      this.#break(`a take at ${from} was let in, ${this.#acknowledged} were acknowledged`);
    }
    if (from > (last?.sentTo ?? 0)) {
      this.#break(`a take at ${from} was let in, ${last?.sentTo ?? 0} were sent`);
    }
    this.#seed += 1;
    const take: Take = { from, seed: this.#seed, sentTo: from };
    this.#takes.push(take);
    this.#acknowledged = Math.max(this.#acknowledged, from);
    return take;
  }

  /** Bytes are acknowledged to the take that sent them; no others may ever have them too. */
  acknowledge(take: Take, to: number): void {
    if (to < take.from) this.#break(`a take at ${take.from} was told ${to}`);
    if (to > take.sentTo) this.#break(`${to} were acknowledged of ${take.sentTo} sent`);
    const next = this.#takes[this.#takes.indexOf(take) + 1];
    if (next !== undefined && to > next.from) {
      this.#break(`a take at ${take.from} was told ${to} after the next began at ${next.from}`);
    }
    this.#acknowledged = Math.max(this.#acknowledged, to);
  }

  /** Asks where it stands. Whatever was told before the question must still be there. */
  async look(peer: GraphPeer): Promise<number> {
    const before = this.#acknowledged;
    const { offset } = await peer.standing(this.id);
    this.toldSince(before, offset);
    return offset;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** An offset that was told by an answer to a question asked when `before` were acknowledged. */
  toldSince(before: number, offset: number): void {
    const sentTo = this.#takes.at(-1)?.sentTo ?? 0;
    if (offset < before) this.#break(`the offset fell from ${before} to ${offset}`);
    if (offset > sentTo) this.#break(`${offset} were told of ${sentTo} sent`);
    this.#acknowledged = Math.max(this.#acknowledged, offset);
  }

  /** Every byte is the one that the take sent to which it belongs. */
  verify(content: Buffer, toldCrc32: string): void {
    if (content.length !== this.length) {
      this.#break(`${content.length} bytes of ${this.length} can be read`);
    }
    this.#takes.forEach(({ from, seed }, index) => {
      const to = this.#takes[index + 1]?.from ?? this.length;
      const strange = firstStrangeByte(content.subarray(from, to), { seed, start: from });
      if (strange !== undefined) {
        this.#break(`byte ${strange} is not of take ${index} from ${from} to ${to}`);
      }
    });
    const found = crc32(content).toString(16).padStart(8, "0");
    if (found !== toldCrc32) this.#break(`CRC-32 ${toldCrc32} was told, ${found} is there`);
  }

  #break(what: string): never {
    const takes = this.#takes.map(({ from, sentTo }) => `${from}..${sentTo}`).join(" ");
    throw new BrokenHistoryError(`${what} (${this.id.slice(0, 20)}…, takes ${takes})`);
  }
}

export function bytesOf({ seed }: Take, start: number, length: number): Buffer {
  return patternBytes({ seed, start, length });
}
