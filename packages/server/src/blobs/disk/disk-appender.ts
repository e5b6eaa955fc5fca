import type { Clock } from "../../base/clock.ts";
import { crc32 } from "../../base/crc32.ts";
import { isVolumeFull, uploadError, type UploadError } from "../../base/errors.ts";
import type { Appender, Checkpoint, StoredExtent } from "../blob-store.ts";
import { Operations } from "../operations.ts";
import type { VolumeFile } from "./volume.ts";

export interface DiskAppenderParts {
  readonly file: VolumeFile;
  /** Opens the same file again, to go on writing. Fails in the engine's words. */
  readonly reopen: () => Promise<VolumeFile>;
  /** Whether so many files are open that one that is clean should be closed until it is needed. */
  readonly isCrowded: () => boolean;
  /** What is committed of this file so far. */
  readonly extent: StoredExtent;
  /** The file was made for this appender: nobody else knows its key. */
  readonly isNew: boolean;
  readonly syncName: () => Promise<void>;
  readonly clock: Clock;
  /** Throws once any file of the volume has failed. */
  readonly refuseFailedVolume: () => void;
  readonly volumeFailed: () => boolean;
  /** Takes a file away that no checkpoint told of. Never fails. */
  readonly discard: () => Promise<void>;
  /** Called once, when the appender has let go for good. */
  readonly closed: () => void;
  /** Called with the error after which this file must never be used again; says it in our words. */
  readonly retire: (error: unknown) => UploadError;
}

/** Grows one file at explicit positions. What it says is durable was written when its sync began. */
export class DiskAppender implements Appender {
  readonly #parts: DiskAppenderParts;
  #file: VolumeFile | undefined;
  #writing = false;
  /** A descriptor being closed between two writes. */
  #lettingGo: Promise<void> | undefined;
  /** Bytes of this extent that were written, and their CRC-32. */
  #length: number;
  #crc32: number;
  #durableLength: number;
  #nameIsDurable: boolean;
  #retired: UploadError | undefined;
  readonly #operations = new Operations();

  constructor(parts: DiskAppenderParts) {
    this.#parts = parts;
    this.#file = parts.file;
    this.#length = parts.extent.length;
    this.#crc32 = parts.extent.crc32;
    this.#durableLength = parts.extent.length;
    this.#nameIsDurable = !parts.isNew;
  }

  get position(): number {
    return this.#parts.extent.start + this.#length;
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#operations.track(this.#writeAll(chunks));
  }

  /** A file has no parts: whatever was written can be made durable. */
  checkpoint(): Promise<Checkpoint> {
    return this.#operations.track(this.#sync());
  }

  async close(): Promise<void> {
    // A descriptor closed under a queued write would let that write land in another file.
    await this.#operations.ended;
    // A key that no checkpoint told of is in no commit, made or under way.
    const isUntold = this.#parts.isNew && this.#durableLength === 0;
    if (!isUntold) await this.#cutUntold();
    await this.#letGo();
    if (isUntold) await this.#parts.discard();
    this.#parts.closed();
  }

  /** What no checkpoint told of would take room until the upload is gone on with. */
  async #cutUntold(): Promise<void> {
    if (this.#length === this.#durableLength || this.#parts.volumeFailed()) return;
    try {
      await this.#file?.truncate(this.#durableLength);
    } catch (error) {
      this.#retire(error);
    }
  }

  async #letGo(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.close();
    } catch (error) {
      this.#retire(error);
    }
  }

  async #writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    this.#writing = true;
    try {
      await this.#lettingGo;
      await this.#writeChunks(chunks);
    } finally {
      this.#writing = false;
    }
  }

  async #writeChunks(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks;
    while (rest.length > 0) {
      if (this.#retired !== undefined) throw this.#retired;
      const count = await this.#writeSome(rest);
      const { before, after } = splitAt(rest, count);
      for (const chunk of before) this.#crc32 = crc32(chunk, this.#crc32);
      this.#length += count;
      rest = after;
    }
  }

  async #writeSome(chunks: readonly Uint8Array[]): Promise<number> {
    this.#file ??= await this.#parts.reopen();
    try {
      return await this.#file.write(chunks, this.#length);
    } catch (error) {
      if (isVolumeFull(error)) {
        throw uploadError("no_room", { offset: undefined }, { cause: error });
      }
      throw this.#retire(error);
    }
  }

  async #sync(): Promise<Checkpoint> {
    if (this.#retired !== undefined) throw this.#retired;
    this.#parts.refuseFailedVolume();
    const { key, start } = this.#parts.extent;
    const reached = { key, start, length: this.#length, crc32: this.#crc32, inline: undefined };
    if (reached.length === this.#durableLength) {
      return { to: start + reached.length, extents: [], replaced: [], syncMs: 0 };
    }
    const begun = this.#parts.clock.monotonic();
    // Both to their end, also when one fails: a descriptor must not be closed under the other.
    for (const done of await Promise.allSettled([this.#file?.sync(), this.#syncName()])) {
      if (done.status === "rejected") throw this.#retire(done.reason);
    }
    // A sync that succeeds after another one failed proves nothing.
    this.#parts.refuseFailedVolume();
    this.#durableLength = reached.length;
    const syncMs = this.#parts.clock.monotonic() - begun;
    await this.#makeWay();
    return { to: start + reached.length, extents: [reached], replaced: [], syncMs };
  }

  /** Only a clean file is closed early: of another one the system could forget an error. */
  async #makeWay(): Promise<void> {
    const isClean = !this.#writing && this.#durableLength === this.#length;
    if (!isClean || !this.#parts.isCrowded()) return;
    this.#lettingGo = this.#letGo();
    await this.#lettingGo;
    this.#lettingGo = undefined;
  }

  async #syncName(): Promise<void> {
    if (this.#nameIsDurable) return;
    await this.#parts.syncName();
    this.#nameIsDurable = true;
  }

  #retire(error: unknown): UploadError {
    this.#retired = this.#parts.retire(error);
    return this.#retired;
  }
}

/** The chunks of the first `count` bytes, and the chunks of the rest. */
function splitAt(
  chunks: readonly Uint8Array[],
  count: number,
): { before: Uint8Array[]; after: Uint8Array[] } {
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  let left = count;
  for (const chunk of chunks) {
    const taken = Math.min(left, chunk.length);
    if (taken > 0) before.push(chunk.subarray(0, taken));
    if (taken < chunk.length) after.push(chunk.subarray(taken));
    left -= taken;
  }
  return { before, after };
}
