import { setTimeout as sleep } from "node:timers/promises";

import type { AppendWords, GraphPeer } from "../fault/graph-peer.ts";
import { type Answer, answerIn, toldOffset } from "../support/dialect-answer.ts";
import { type Dialect, dialects } from "../support/dialect-wire.ts";
import { RawConnection, type RawResponse } from "../support/raw-http.ts";
import type { SeededRandom } from "../support/seeded.ts";
import { bytesOf, type Take, type TakenUpload } from "./taken-upload.ts";

const KiB = 1024;
/** Kept back until it is told to finish: a slow sender must not complete anything by itself. */
const reserve = 64 * KiB;

export interface TakeOptions {
  readonly peer: GraphPeer;
  readonly upload: TakenUpload;
  readonly from: number;
  /** Where its body ends; the upload's end when left out. */
  readonly to?: number;
  /** Sends nothing before it is told to go on. */
  readonly isHeld?: boolean;
  readonly random: SeededRandom;
}

/** Why a take was not let in; `lost` when the connection ended without an answer. */
export type Refusal = number | "lost";

/** A request that was let write, and sends its body slowly until it is told to finish. */
export class TakeSender {
  readonly take: Take;
  /** The answer, once there is one; undefined when the connection ended without. */
  readonly ended: Promise<Answer | undefined>;
  readonly #connection: RawConnection;
  readonly #options: TakeOptions;
  readonly #words: AppendWords & { readonly dialect: Dialect };
  readonly #to: number;
  #isHeld: boolean;
  #isHurried = false;
  #isOver = false;

  private constructor(
    connection: RawConnection,
    options: TakeOptions,
    words: AppendWords & { readonly dialect: Dialect },
  ) {
    this.#connection = connection;
    this.#words = words;
    this.#options = options;
    this.#to = options.to ?? options.upload.length;
    this.#isHeld = options.isHeld ?? false;
    this.take = options.upload.accept(options.from);
    this.ended = this.#readAnswer();
    // Whoever waits for it meets its failure; nobody has to.
    this.ended.catch(() => undefined);
    void this.#send();
  }

  /** No byte is sent before the server asks for it: a take that is refused brought none. */
  static async begin(options: TakeOptions): Promise<TakeSender | Refusal> {
    const { peer, upload, from, to = upload.length, random } = options;
    const before = upload.acknowledged;
    const dialect = random.pick(dialects);
    const words = { id: upload.id, dialect, isLast: to === upload.length };
    const connection = await RawConnection.open(peer.address).catch(() => undefined);
    if (connection === undefined) return "lost";
    const head = { ...words, from, length: to - from, expectsContinue: true };
    await connection.write(peer.appendHead(head));
    const interim = await connection.readInterim({ timeoutMs: 60_000 });
    if (interim?.status === 100) return new TakeSender(connection, options, words);
    const answer = parsed(dialect, await connection.readResponse());
    connection.close();
    if (answer === undefined) return "lost";
    const told = toldOffset(answer);
    if (told !== undefined) upload.toldSince(before, told);
    return answer.status;
  }

  goOn(): void {
    this.#isHeld = false;
  }

  /** Sends what is left of its body at once, and answers what came of it. */
  async finish(): Promise<Answer | undefined> {
    this.goOn();
    this.#isHurried = true;
    return await this.ended;
  }

  /** As a client that has lost its network: nothing more is sent, and nobody reads. */
  cut(): void {
    this.#isOver = true;
    this.#connection.close();
  }

  async #send(): Promise<void> {
    const { random } = this.#options;
    const { take } = this;
    while (!this.#isOver && take.sentTo < this.#to && this.#connection.peerEnd === "open") {
      const end = this.#isHurried ? this.#to : this.#to - reserve;
      const left = this.#isHeld ? 0 : end - take.sentTo;
      const length = Math.min(random.integer(1, 160 * KiB), left);
      if (length > 0) {
        const bytes = bytesOf(take, take.sentTo, length);
        take.sentTo += length;
        if (!(await this.#connection.write(bytes))) return;
      }
      if (!this.#isHurried) await sleep(length > 0 ? random.integer(1, 8) : 10);
    }
  }

  async #readAnswer(): Promise<Answer | undefined> {
    const { upload, peer } = this.#options;
    const response = await this.#connection.readResponse({ timeoutMs: 150_000 });
    this.#isOver = true;
    this.#connection.close();
    const parsedAnswer = parsed(this.#words.dialect, response);
    if (parsedAnswer === undefined) return undefined;
    // Whom it asks for the handle may be away: then the next take at the end is told it.
    const answer = await peer.withHandle(this.#words, parsedAnswer).catch(() => parsedAnswer);
    const isDone = answer.status === 200 && typeof answer.json.h === "string";
    const told = isDone ? upload.length : toldOffset(answer);
    if (told !== undefined) upload.acknowledge(this.take, told);
    if (answer.status === 200 && told !== this.#to) {
      throw new Error(`200 for ${told} of ${this.#to}`);
    }
    return answer;
  }
}

/** What stands before the nodes says what it says in a page of its own. */
function parsed(dialect: Dialect, response: RawResponse | undefined): Answer | undefined {
  if (response?.whole !== true) return undefined;
  const isPage = response.body.subarray(0, 1).toString() === "<";
  return isPage ? { status: response.status, json: {} } : answerIn(dialect, response);
}
