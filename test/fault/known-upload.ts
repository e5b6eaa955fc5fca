import { crc32 } from "node:zlib";

import { dialects } from "../support/dialect-wire.ts";
import { patternBytes, type SeededRandom } from "../support/seeded.ts";
import {
  type Append,
  type Appended,
  RefusedError,
  unanswered,
  type UploadClient,
} from "./upload-client.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

/** An acknowledged thing is not there any more: what every crash campaign looks for. */
export class LostByteError extends Error {
  override readonly name = "LostByteError";
}

/** How an upload is sent. */
interface Manner {
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** Bytes of an append, at most. */
  readonly pieceMax: number;
  /** How many of its appends are cut by the client on the way. */
  readonly cutShare: number;
}

const mannersOfMost: readonly Manner[] = [
  // Inside the catalog.
  { lengthMin: 1, lengthMax: 16 * KiB, pieceMax: 16 * KiB, cutShare: 0 },
  // Many small appends: a sync and a commit each.
  { lengthMin: 64 * KiB, lengthMax: 512 * KiB, pieceMax: 8 * KiB, cutShare: 0.02 },
  { lengthMin: 64 * KiB, lengthMax: 2 * MiB, pieceMax: 64 * KiB, cutShare: 0.1 },
  { lengthMin: 1 * MiB, lengthMax: 6 * MiB, pieceMax: 4 * MiB, cutShare: 0.2 },
];

/** One append with checkpoints of its own on the way. */
const mannerOfLong: Manner = {
  lengthMin: 9 * MiB,
  lengthMax: 18 * MiB,
  pieceMax: 18 * MiB,
  cutShare: 0.2,
};
/** Few, since a cycle's time goes into their bytes; a campaign still has hundreds of them. */
const longShare = 0.1;

/** Made once: every upload is a run of it, and no two places of it are alike. */
const pool = patternBytes({ seed: 0x4a57, length: 32 * MiB });

/** What was still the case when the server died. */
export type Moment = "before any byte was acknowledged" | "in the middle" | "complete";

/** One upload as its client knows it: what it sends, and all that it was ever told. */
export class KnownUpload {
  readonly #random: SeededRandom;
  readonly #manner: Manner;
  readonly #bytes: Buffer;
  #id = "";
  #acknowledged = 0;
  #handle: string | undefined;
  #fileId: string | undefined;
  /** How often it may yet be told that another request holds it. */
  #busyLeft = 2;

  private constructor(random: SeededRandom) {
    this.#random = random;
    this.#manner = random.fraction() < longShare ? mannerOfLong : random.pick(mannersOfMost);
    const length = random.integer(this.#manner.lengthMin, this.#manner.lengthMax);
    const start = random.integer(0, pool.length - length);
    this.#bytes = pool.subarray(start, start + length);
  }

  static async create(client: UploadClient, random: SeededRandom): Promise<KnownUpload> {
    const upload = new KnownUpload(random);
    upload.#id = await client.create(upload.#bytes.length, random.pick(dialects));
    return upload;
  }

  /** The highest offset any answer named. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  get moment(): Moment {
    if (this.#handle !== undefined) return "complete";
    return this.#acknowledged === 0 ? "before any byte was acknowledged" : "in the middle";
  }

  /** Asks how far it is: every offset that is told counts as acknowledged. */
  async look(client: UploadClient): Promise<void> {
    this.#acknowledge((await client.standing(this.#id)).offset);
  }

  /** Sends it all, in its manner, and publishes some. */
  async send(client: UploadClient): Promise<void> {
    for (let offset = 0; this.#handle === undefined;) {
      offset = await this.#append(client, offset);
    }
    if (this.#random.fraction() < 0.5) this.#fileId = await client.publish(this.#handle);
  }

  /** After a crash: all that was acknowledged is there, and the rest can be added. */
  async verify(client: UploadClient): Promise<void> {
    const length = this.#bytes.length;
    const { offset, crc32: told } = await client.standing(this.#id).catch(asLost);
    if (offset < this.#acknowledged) {
      throw new LostByteError(`an acknowledged byte is gone: ${offset} < ${this.#acknowledged}`);
    }
    if (offset > length) throw new Error(`${offset} bytes of ${length} are there`);
    const expected = crc32(this.#bytes.subarray(0, offset)).toString(16).padStart(8, "0");
    if (told !== expected) {
      throw new LostByteError(`the first ${offset} bytes have CRC ${String(told)}: not as sent`);
    }
    const last = this.#words(offset, length);
    const answer = await client.append(last).catch(asLost);
    const handle = answer.handle ?? (await this.#handleAfter(client, last));
    if (handle !== (this.#handle ?? handle)) throw new LostByteError("the handle is another one");
    const fileId = await client.publish(handle).catch(asLost);
    if (fileId !== (this.#fileId ?? fileId)) throw new LostByteError("the file is another one");
    const stored = await client.download(fileId).catch((error: unknown): never => {
      throw new LostByteError("acknowledged bytes cannot be read", { cause: error });
    });
    // The first `offset` of these were never sent again.
    if (!stored.equals(this.#bytes)) throw new LostByteError("the file is not what was sent");
  }

  /** One append at `offset`; answers where the next one goes. */
  async #append(client: UploadClient, offset: number): Promise<number> {
    const { pieceMax, cutShare } = this.#manner;
    const most = Math.min(pieceMax, this.#bytes.length - offset);
    const length = this.#random.fraction() < 0.3 ? most : this.#random.integer(1, most);
    const append = {
      ...this.#words(offset, offset + length),
      ...(this.#random.fraction() < cutShare
        ? { cutAfterBytes: this.#random.integer(0, length - 1) }
        : {}),
    };
    const answer = await client.append(append).catch((error: unknown) => this.#askedLater(error));
    if (answer.handle !== undefined) {
      this.#handle = answer.handle;
      this.#acknowledge(this.#bytes.length);
      return this.#acknowledged;
    }
    if (answer.offset === undefined) {
      await this.look(client);
      return this.#acknowledged;
    }
    if (answer.offset !== offset + length) throw new Error(`told ${answer.offset} for ${offset}`);
    this.#acknowledge(answer.offset);
    if (append.isLast) this.#handle = await this.#handleAfter(client, append);
    return answer.offset;
  }

  /** The last append was cut and is still being made durable: where it ends is asked for. */
  #askedLater(error: unknown): Appended {
    if (!(error instanceof RefusedError)) throw error;
    if (error.status === offsetMismatch) return unanswered;
    // A machine that stands still may make it late; a holder that never lets go is a mistake.
    if (isBusy(error) && this.#busyLeft > 0) {
      this.#busyLeft -= 1;
      return unanswered;
    }
    throw error;
  }

  /** For one that was taken to the last byte, in a dialect that has no word for handles. */
  async #handleAfter(client: UploadClient, { id, dialect }: Append): Promise<string> {
    if (dialect === "graph") throw new Error("all bytes were taken, and no handle came");
    return await client.handle(id).catch(asLost);
  }

  /** An append of [offset, to), in any dialect. */
  #words(offset: number, to: number): Append {
    return {
      dialect: this.#random.pick(dialects),
      id: this.#id,
      offset,
      bytes: this.#bytes.subarray(offset, to),
      isLast: to === this.#bytes.length,
    };
  }

  #acknowledge(offset: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, offset);
  }
}

const offsetMismatch = 412;
const busy = 503;

function isBusy({ status, message }: RefusedError): boolean {
  return status === busy && message.includes("has not let go yet");
}

/** Unknown, damaged, gone: not of an upload that was acknowledged. */
const lostStatuses: readonly number[] = [404, 409, 410];

function asLost(error: unknown): never {
  if (error instanceof RefusedError && lostStatuses.includes(error.status)) {
    throw new LostByteError(`an acknowledged upload is refused: ${error.message}`);
  }
  throw error;
}
