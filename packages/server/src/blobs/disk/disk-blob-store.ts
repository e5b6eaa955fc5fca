import { ReadableStream } from "node:stream/web";
import {
  asError,
  isVolumeFull,
  systemErrorCode,
  UploadError,
  uploadError,
} from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type {
  Appender,
  AppenderRequest,
  BlobKey,
  BlobStore,
  ByteRange,
  StoredExtent,
  StoreRoom,
} from "../blob-store.ts";
import { KeysLeftError } from "../blob-store.ts";
import { DiskAppender } from "./disk-appender.ts";
import type { Volume, VolumeFile } from "./volume.ts";

const readBytes = 512 * 1024;

export interface DiskBlobStoreOptions {
  readonly volume: Volume;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Appenders beyond this number keep no file open while all they wrote is durable. */
  readonly cleanFilesMax: number;
  /** Called once, when the volume itself failed: this store acknowledges nothing any more. */
  readonly onVolumeFailure: (error: Error) => void;
}

/** One file an extent, grown in place; normally one extent an upload. */
export class DiskBlobStore implements BlobStore {
  readonly properties = {
    growsInPlace: true,
    needsEpochs: false,
    checkpointMsMin: limits.checkpointMsMin,
  };
  readonly assemble = undefined;
  readonly signUrl = undefined;
  readonly #options: DiskBlobStoreOptions;
  /** Files whose sync or close failed: the kernel may have dropped their pages and call them clean. */
  readonly #retired = new Set<string>();
  /** A volume that failed once has lost pages that it calls clean: nothing of it is trusted again. */
  #volumeFailure: Error | undefined;
  #openAppenders = 0;
  /** Ends the name of every file of this process, which the catalog may not know yet. */
  readonly #mark: string;

  constructor(options: DiskBlobStoreOptions) {
    this.#options = options;
    this.#mark = options.random.bytes(8).toString("hex");
  }

  async openAppender(request: AppenderRequest): Promise<Appender> {
    this.#refuseFailedVolume();
    const last = request.extents.at(-1);
    const goesOn =
      last !== undefined && last.key !== "" && !this.#retired.has(last.key) ? last : undefined;
    const extent = goesOn ?? {
      key: this.#newKey(),
      start: request.offset,
      length: 0,
      crc32: 0,
      inline: undefined,
    };
    const file =
      goesOn === undefined ? await this.#create(extent.key) : await this.#openToGrow(goesOn);
    this.#openAppenders += 1;
    return new DiskAppender({
      file,
      reopen: () => this.#openForWriting(extent),
      isCrowded: () => this.#openAppenders > this.#options.cleanFilesMax,
      closed: () => {
        this.#openAppenders -= 1;
      },
      extent,
      isNew: goesOn === undefined,
      syncName: () => this.#options.volume.syncDirectory(extent.key),
      clock: this.#options.clock,
      refuseFailedVolume: () => {
        this.#refuseFailedVolume();
      },
      volumeFailed: () => this.#volumeFailure !== undefined,
      discard: () => this.#discard(extent.key),
      retire: (error) => this.#retire(extent.key, error),
    });
  }

  async *read(
    extent: StoredExtent,
    range: ByteRange,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const file = await this.#options.volume.open(extent.key, "read");
    try {
      for (let position = range.from; position < range.to;) {
        signal?.throwIfAborted();
        const into = Buffer.allocUnsafe(Math.min(readBytes, range.to - position));
        const count = await file.read(into, position);
        if (count === 0) throw new Error(`${extent.key} ends at ${position}, before ${range.to}`);
        position += count;
        yield into.subarray(0, count);
      }
    } finally {
      await file.close();
    }
  }

  async isWhole(extent: StoredExtent): Promise<boolean> {
    try {
      const file = await this.#options.volume.open(extent.key, "read");
      try {
        return (await file.length()) >= extent.length;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** Names of files say nothing about who made them: a file without a row is set aside. */
  listKeys(): AsyncIterable<string> {
    return ReadableStream.from<string>([]);
  }

  listBlobKeys(): AsyncIterable<BlobKey> {
    return ReadableStream.from<BlobKey>([]);
  }

  abandon(): Promise<void> {
    return Promise.resolve();
  }

  async remove(keys: readonly string[]): Promise<void> {
    const left: string[] = [];
    let why = "";
    for (const key of keys) {
      try {
        await this.#removeFile(key);
      } catch (error) {
        left.push(key);
        why = asError(error).message;
      }
    }
    if (left.length > 0) throw new KeysLeftError(left, why);
  }

  async *listOlderKeys(): AsyncIterable<string> {
    for await (const key of this.#options.volume.list()) {
      if (!key.endsWith(this.#mark)) yield key;
    }
  }

  quarantine(key: string): Promise<boolean> {
    return this.#options.volume.quarantine(key);
  }

  room(): Promise<StoreRoom> {
    return this.#options.volume.room();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #create(key: string): Promise<VolumeFile> {
    try {
      return await this.#options.volume.create(key);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async #openToGrow(extent: StoredExtent): Promise<VolumeFile> {
    const file = await this.#openForWriting(extent);
    try {
      const length = await file.length();
      if (length < extent.length) {
        throw uploadError("upload_damaged", { offset: extent.start + extent.length });
      }
      // What is beyond the committed offset was never acknowledged to anyone.
      if (length > extent.length) await this.#cut(file, extent, length);
      return file;
    } catch (error) {
      // The first error says more than one of the close.
      await file.close().catch(() => undefined);
      throw error instanceof UploadError ? error : this.#failed(error);
    }
  }

  async #cut(file: VolumeFile, { key, length }: StoredExtent, from: number): Promise<void> {
    await file.truncate(length);
    const cut = { key, bytes: from - length };
    this.#options.log.info(cut, "bytes beyond the committed offset were cut off");
  }

  async #openForWriting(extent: StoredExtent): Promise<VolumeFile> {
    try {
      return await this.#options.volume.open(extent.key, "write");
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "ENOENT") {
        throw uploadError("upload_damaged", { offset: extent.start + extent.length });
      }
      // Nothing was lost that was written, to this file or to another: those are served on.
      if (code === "EIO") throw storageError(error);
      throw this.#failed(error);
    }
  }

  async #removeFile(key: string): Promise<void> {
    await this.#options.volume.remove(key);
    this.#retired.delete(key);
  }

  async #discard(key: string): Promise<void> {
    if (this.#volumeFailure !== undefined) return;
    try {
      await this.#removeFile(key);
    } catch (error) {
      // Without a row it is set aside by the next process.
      this.#retire(key, error);
    }
  }

  /** After it the file is never used again. */
  #retire(key: string, error: unknown): UploadError {
    this.#retired.add(key);
    return this.#failed(error);
  }

  /** The error in the engine's words. One of the volume itself is the end of this store. */
  #failed(error: unknown): UploadError {
    const failure = storageError(error);
    const code = systemErrorCode(error);
    if ((code === "EIO" || code === "EROFS") && this.#volumeFailure === undefined) {
      this.#volumeFailure = failure;
      this.#options.onVolumeFailure(failure);
    }
    return failure;
  }

  #refuseFailedVolume(): void {
    if (this.#volumeFailure === undefined) return;
    throw uploadError("storage_failed", { offset: undefined }, { cause: this.#volumeFailure });
  }

  #newKey(): string {
    const name = this.#options.random.bytes(8).toString("hex");
    return `${name.slice(0, 2)}/${name}${this.#mark}`;
  }
}

/** An operation that had no room says so; everything else is the storage's failure. */
function storageError(cause: unknown): UploadError {
  const code = isVolumeFull(cause) ? "no_room" : "storage_failed";
  return uploadError(code, { offset: undefined }, { cause });
}
