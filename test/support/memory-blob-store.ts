import { ReadableStream } from "node:stream/web";
import { crc32, formatCrc32 } from "../../packages/server/src/base/crc32.ts";
import { uploadError } from "../../packages/server/src/base/errors.ts";
import {
  BytesMissingError,
  type Appender,
  type AppenderRequest,
  type AssembleRequest,
  type BlobEpoch,
  type BlobKey,
  type BlobStore,
  type ByteRange,
  type SignUrlRequest,
  type StoredExtent,
} from "../../packages/server/src/blobs/blob-store.ts";
import { MemoryAppender, type MemoryRun } from "./memory-appender.ts";
import type { MemoryBucket } from "./memory-bucket.ts";

export interface MemoryBlobStoreOptions {
  readonly bucket: MemoryBucket;
  /** From this length on a part is put without waiting for a checkpoint. */
  readonly partBytes: number;
  /** How many small extents in a row become one. */
  readonly mergeAt: number;
}

const readBytes = 512 * 1024;

/** Immutable keys under epochs, as an S3 store makes them, without a network. */
export class MemoryBlobStore implements BlobStore {
  readonly properties = { growsInPlace: false, needsEpochs: true, checkpointMsMin: 0 };
  readonly #options: MemoryBlobStoreOptions;
  readonly #made = new Set<string>();

  constructor(options: MemoryBlobStoreOptions) {
    this.#options = options;
  }

  async openAppender(request: AppenderRequest): Promise<Appender> {
    for (const extent of request.extents) {
      if (extent.key !== "" && !(await this.isWhole(extent))) {
        throw uploadError("upload_damaged", { offset: request.offset });
      }
    }
    return new MemoryAppender({
      ...this.#options,
      request,
      put: (run, bytes) => this.#put(request.epoch, run, bytes),
      bytesOf: (extent) => this.#bytesOf(extent),
    });
  }

  async *read(
    extent: StoredExtent,
    range: ByteRange,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    for (let from = range.from; from < range.to; from += readBytes) {
      await Promise.resolve();
      signal?.throwIfAborted();
      // Each read is a request of its own: the key may be gone by now.
      const bytes = this.#bytesOf(extent);
      const to = Math.min(from + readBytes, range.to);
      if (from < bytes.length) yield bytes.subarray(from, to);
      if (bytes.length < to) throw new Error(`${extent.key} ends at ${bytes.length}`);
    }
  }

  isWhole({ key, length }: StoredExtent): Promise<boolean> {
    const stored = this.#options.bucket.objects.get(key);
    return Promise.resolve(stored !== undefined && stored.length >= length);
  }

  listKeys(epoch: BlobEpoch): AsyncIterable<string> {
    const prefix = prefixOf(epoch);
    const keys = this.#options.bucket.keys().filter((key) => key.startsWith(prefix));
    return ReadableStream.from<string>(keys);
  }

  listBlobKeys(blobId: string): AsyncIterable<BlobKey> {
    const keys = this.#options.bucket.keys().filter((key) => key.startsWith(`${blobId}/`));
    return ReadableStream.from<BlobKey>(keys.map(blobKeyOf));
  }

  abandon(): Promise<void> {
    return Promise.resolve();
  }

  readonly assemble = (request: AssembleRequest): Promise<StoredExtent> => {
    const bytes = request.extents.map((extent) => extent.inline ?? this.#bytesOf(extent));
    return Promise.resolve(
      this.#put(request.epoch, { start: 0, isUnproven: false }, Buffer.concat(bytes)),
    );
  };

  readonly signUrl = ({ extent, ...rest }: SignUrlRequest): Promise<string> => {
    const query = new URLSearchParams({ ...rest, lifetimeSeconds: String(rest.lifetimeSeconds) });
    return Promise.resolve(`https://bucket.example/${extent.key}?${query.toString()}`);
  };

  remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#options.bucket.objects.delete(key);
    return Promise.resolve();
  }

  listOlderKeys(): AsyncIterable<string> {
    const older = this.#options.bucket.keys().filter((key) => !this.#made.has(key));
    return ReadableStream.from<string>(older);
  }

  quarantine(key: string): Promise<boolean> {
    return Promise.resolve(this.#options.bucket.objects.delete(key));
  }

  room(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #put(epoch: BlobEpoch, { start, isUnproven }: MemoryRun, bytes: Buffer): StoredExtent {
    const checksum = crc32(bytes);
    const run = `${start}-${bytes.length}-${formatCrc32(checksum)}`;
    const key = `${prefixOf(epoch)}${run}${isUnproven ? "-unproven" : ""}`;
    this.#options.bucket.put(key, bytes);
    this.#made.add(key);
    return { key, start, length: bytes.length, crc32: checksum, inline: undefined };
  }

  #bytesOf({ key, inline }: StoredExtent): Buffer {
    if (inline !== undefined) return Buffer.from(inline);
    const bytes = this.#options.bucket.objects.get(key);
    if (bytes === undefined) throw new BytesMissingError(key);
    return bytes;
  }
}

function prefixOf({ blobId, base, openedAt, fence }: BlobEpoch): string {
  return `${blobId}/${base}-${openedAt}-${fence}/`;
}

function blobKeyOf(key: string): BlobKey {
  const [, epoch = "", run = ""] = key.split("/");
  const [base = "", openedAt = "", fence = ""] = epoch.split("-");
  const [start = "", length = "", checksum = "", unproven] = run.split("-");
  return {
    key,
    fence,
    base: Number(base),
    openedAt: Number(openedAt),
    start: Number(start),
    length: Number(length),
    crc32: Number.parseInt(checksum, 16),
    isUnproven: unproven !== undefined,
  };
}
