import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";

import { type Answer, toldOffset } from "../support/dialect-answer.ts";
import type { Dialect } from "../support/dialect-wire.ts";
import type { RawAddress } from "../support/raw-http.ts";
import type { AppendWords, GraphPeer, Standing } from "./graph-peer.ts";

const triesMax = 50;

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** In whose words the next request is. */
export type NextDialect = () => Dialect;

const always = (): Dialect => "graph";

/**
 * An upload as its client knows it: its bytes, and the highest offset any answer told. Whatever is
 * done to the server, it must keep at least that much, unchanged, and go on to the end from there.
 */
export class TrackedUpload {
  readonly id: string;
  readonly content: Buffer;
  readonly #peer: GraphPeer;
  readonly #nextDialect: NextDialect;
  #acknowledged = 0;
  #handle: string | undefined;

  private constructor(
    { peer, nextDialect }: { readonly peer: GraphPeer; readonly nextDialect: NextDialect },
    id: string,
    content: Buffer,
  ) {
    this.#peer = peer;
    this.#nextDialect = nextDialect;
    this.id = id;
    this.content = content;
  }

  /** Created and appended to in one dialect after the other, as they are drawn. */
  static async create(
    peer: GraphPeer,
    content: Buffer,
    nextDialect: NextDialect = always,
  ): Promise<TrackedUpload> {
    const id = await peer.createOrFail(content.length, nextDialect());
    return new TrackedUpload({ peer, nextDialect }, id, content);
  }

  get length(): number {
    return this.content.length;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get complete(): boolean {
    return this.#handle !== undefined;
  }

  /** Takes note of what an answer to an append of [from, to) told; fails when that cannot be. */
  note(answer: Answer, { to }: Range): void {
    const what = `${this.id.slice(0, 20)}…: ${JSON.stringify(answer)}`;
    if (answer.status === 200 && typeof answer.json.h === "string") {
      if (to !== this.length) throw new Error(`complete before its last byte: ${what}`);
      if (this.#handle !== undefined && this.#handle !== answer.json.h) {
        throw new Error(`a replay differs: ${what}`);
      }
      this.#handle = answer.json.h;
      this.#acknowledged = this.length;
      return;
    }
    const told = toldOffset(answer);
    if (answer.status === 200 && told !== to) throw new Error(`200 with another offset: ${what}`);
    if (told === undefined) return;
    if (told > this.length) throw new Error(`an offset beyond the length: ${what}`);
    this.#acknowledged = Math.max(this.#acknowledged, told);
  }

  /** What the next append up to `to` is to say. */
  words(to: number): AppendWords {
    return { id: this.id, dialect: this.#nextDialect(), isLast: to === this.length };
  }

  /** One append of [from, to); undefined when the connection ended without a whole answer. */
  async append(range: Range, through?: RawAddress): Promise<Answer | undefined> {
    const { from, to } = range;
    const bytes = this.content.subarray(from, to);
    const answer = await this.#peer.append({ ...this.words(to), from, bytes, through });
    if (answer !== undefined) this.note(answer, range);
    return answer;
  }

  /** Asks where it stands, and fails when an acknowledged byte is gone or another one. */
  async check(): Promise<Standing> {
    const before = this.#acknowledged;
    const standing = await this.#peer.standing(this.id);
    const { offset, crc32: told } = standing;
    if (offset < before) {
      throw new Error(`an acknowledged byte is gone: ${before} were told, ${offset} are there`);
    }
    if (offset > this.length) throw new Error(`${offset} bytes of ${this.length}`);
    const expected = crc32(this.content.subarray(0, offset)).toString(16).padStart(8, "0");
    if (told !== expected) throw new Error(`the bytes up to ${offset} are not the ones sent`);
    this.#acknowledged = Math.max(before, offset);
    return standing;
  }

  /**
   * Goes on from what is acknowledged to the end, and fails unless every byte is the one sent.
   * Answers the statuses that its appends met.
   */
  async finish(): Promise<readonly number[]> {
    const statuses: number[] = [];
    while (statuses.length < triesMax) {
      const { offset } = await this.check();
      const answer = await this.append({ from: offset, to: this.length });
      statuses.push(answer?.status ?? 0);
      if (answer?.status === 200) {
        await this.verify();
        return statuses;
      }
      // Somebody of before has not let go, or has just done so: both are told, neither is wrong.
      if (answer?.status !== 412 && answer?.status !== 503) {
        throw new Error(`cannot go on from ${offset}: ${JSON.stringify(answer)}`);
      }
      await sleep(5);
    }
    throw new Error(`${triesMax} tries did not finish it`);
  }

  /** Reads all of it back. */
  async verify(): Promise<void> {
    if (this.#handle === undefined) throw new Error("not complete");
    const stored = await this.#peer.download(this.#handle).catch((error: unknown) => {
      throw new Error("acknowledged bytes cannot be read", { cause: error });
    });
    if (stored.equals(this.content)) return;
    const at = stored.findIndex((byte, index) => byte !== this.content[index]);
    throw new Error(`byte ${at} of ${stored.length} stored is not the one sent`);
  }
}
