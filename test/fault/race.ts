import { setTimeout as sleep } from "node:timers/promises";

import { type Answer, toldOffset } from "../support/dialect-answer.ts";
import { dialects } from "../support/dialect-wire.ts";
import { RawConnection } from "../support/raw-http.ts";
import { patternBytes, type SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { type AppendWords, GraphPeer } from "./graph-peer.ts";
import { type AppendEvent, brokenPromise, type ReadEvent } from "./race-history.ts";

const KiB = 1024;
/** Shorter ones could agree with another writer's bytes by chance. */
const appendLengthMin = 64;

/** A connection that is kept for the next request as long as the server keeps it, too. */
class Line {
  #connection: RawConnection | undefined;

  async open(peer: GraphPeer): Promise<RawConnection> {
    const kept = this.#connection;
    if (kept?.peerEnd === "open" && kept.received.length === 0) return kept;
    kept?.close();
    this.#connection = await RawConnection.open(peer.address);
    return this.#connection;
  }

  drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

/** One writer's turn. */
interface Plan {
  readonly line: Line;
  readonly words: AppendWords;
  readonly from: number;
  readonly bytes: Buffer;
  /** How many of the bytes are sent before the writer stops. */
  readonly sent: number;
  readonly pieces: number;
  readonly pauseMs: number;
}

export interface RacedUpload {
  readonly races: number;
  /** What was broken, if anything was. */
  readonly broken: string | undefined;
}

/** One upload that is written by several at once, from its first race to its last byte. */
export class Race {
  readonly #peer: GraphPeer;
  readonly #random: SeededRandom;
  readonly #lines = [new Line(), new Line(), new Line()];
  #appends: AppendEvent[] = [];
  #reads: ReadEvent[] = [];
  #clock = 0;
  #handle: string | undefined;

  constructor(server: ServerProcess, random: SeededRandom) {
    this.#peer = new GraphPeer(server);
    this.#random = random;
  }

  async run(): Promise<RacedUpload> {
    const length = this.#random.integer(64 * KiB, 256 * KiB);
    const id = await this.#peer.createOrFail(length, this.#random.pick(dialects));
    let races = 0;
    try {
      for (let offset = await this.#read(id); offset < length; offset = await this.#read(id)) {
        const writers = this.#lines.slice(0, this.#random.fraction() < 0.75 ? 2 : 3);
        const plans = writers.map((line) => this.#plan({ line, from: offset }, { id, length }));
        const looks = this.#random.fraction() < 0.3 ? [this.#read(id)] : [];
        await Promise.all([...looks, ...plans.map((plan) => this.#append(plan))]);
        races += 1;
      }
      const content = await this.#content(id, length);
      const history = { appends: this.#appends, reads: this.#reads, content };
      return { races, broken: brokenPromise(history) };
    } finally {
      for (const line of this.#lines) line.drop();
    }
  }

  #plan(
    place: Pick<Plan, "line" | "from">,
    upload: { readonly id: string; readonly length: number },
  ): Plan {
    const rest = upload.length - place.from;
    const most = Math.min(rest, this.#random.pick([2 * KiB, 12 * KiB, 40 * KiB]));
    const wanted = this.#random.integer(Math.min(appendLengthMin, most), most);
    // What would be left must be long enough to be told apart, too.
    const length = rest - wanted < appendLengthMin ? rest : wanted;
    const bytes = patternBytes({ seed: this.#random.word(), length });
    const stops = this.#random.fraction() < 0.2;
    return {
      ...place,
      words: { id: upload.id, dialect: this.#random.pick(dialects), isLast: length === rest },
      bytes,
      sent: stops ? this.#random.integer(0, length - 1) : length,
      pieces: this.#random.integer(1, 3),
      pauseMs: this.#random.pick([0, 0, 0, 1, 3]),
    };
  }

  async #append({ line, words, from, bytes, sent, pieces, pauseMs }: Plan): Promise<void> {
    const connection = await line.open(this.#peer);
    const invokedAt = this.#tick();
    await connection.write(this.#peer.appendHead({ ...words, from, length: bytes.length }));
    const step = Math.max(1, Math.ceil(sent / pieces));
    for (let position = 0; position < sent; position += step) {
      if (pauseMs > 0) await sleep(pauseMs);
      if (connection.received.length > 0) break;
      await connection.write(bytes.subarray(position, Math.min(sent, position + step)));
    }
    const sentWhole = sent === bytes.length;
    if (!sentWhole) connection.halfClose();
    const response = await connection.readResponse();
    const answeredAt = this.#tick();
    const answer =
      response?.whole === true ? await this.#peer.answered(words, response) : undefined;
    this.#appends.push({ from, bytes, sentWhole, invokedAt, answeredAt, status: answer?.status });
    if (answer !== undefined) this.#note(answer, { invokedAt, answeredAt });
    // After a refusal what is left of the body would be taken for the next request.
    if (answer?.status !== 200) line.drop();
  }

  #note(answer: Answer, when: Pick<ReadEvent, "invokedAt" | "answeredAt">): void {
    if (typeof answer.json.h === "string") this.#handle = answer.json.h;
    const offset = toldOffset(answer);
    if (offset !== undefined) this.#reads.push({ offset, crc32: undefined, ...when });
  }

  async #read(id: string): Promise<number> {
    const invokedAt = this.#tick();
    const { offset, crc32 } = await this.#peer.standing(id);
    this.#reads.push({ offset, crc32, invokedAt, answeredAt: this.#tick() });
    return offset;
  }

  /** A writer whose last answer was lost asks again with nothing more to send. */
  async #content(id: string, length: number): Promise<Buffer> {
    const words = { id, dialect: this.#random.pick(dialects), isLast: true };
    const replay = await this.#peer.append({ ...words, from: length, bytes: Buffer.alloc(0) });
    const handle = String(replay?.json.h);
    if (this.#handle !== undefined && this.#handle !== handle) throw new Error("a replay differs");
    return await this.#peer.download(handle);
  }

  #tick(): number {
    this.#clock += 1;
    return this.#clock;
  }
}
