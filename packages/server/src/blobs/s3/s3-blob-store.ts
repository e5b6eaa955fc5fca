import { ReadableStream } from "node:stream/web";
import type { Clock } from "../../base/clock.ts";
import { crc32 } from "../../base/crc32.ts";
import { uploadError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type {
  Appender,
  AppenderRequest,
  AssembleRequest,
  BlobEpoch,
  BlobKey,
  BlobStore,
  ByteRange,
  SignUrlRequest,
  StoredExtent,
} from "../blob-store.ts";
import { Gate } from "../../base/gate.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { S3Appender } from "./s3-appender.ts";
import { PartsRefusedError, S3Assembly } from "./s3-assembly.ts";
import { connectS3, type S3Connection } from "./s3-client.ts";
import { isMissingKey, serviceError, storageError } from "./s3-error.ts";
import {
  deploymentPrefix,
  epochPrefix,
  extentKey,
  inPrefix,
  parseExtentKey,
  type S3KeySpace,
} from "./s3-keys.ts";
import type { S3Location } from "./s3-location.ts";
import { S3Objects, wasListed } from "./s3-objects.ts";
import { cautiousProfile, type S3Profile } from "./s3-profile.ts";
import { S3SelfTest } from "./s3-self-test.ts";

export interface S3BlobStoreOptions {
  readonly location: S3Location;
  readonly deploymentId: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** One immutable object a part, in a bucket that several processes may use at once. */
export class S3BlobStore implements BlobStore {
  readonly properties = {
    growsInPlace: false,
    needsEpochs: true,
    checkpointMsMin: limits.s3CheckpointMsMin,
  };
  readonly #options: S3BlobStoreOptions;
  readonly #connection: S3Connection;
  readonly #space: S3KeySpace;
  readonly #memory = new MemoryBudget(limits.s3PartsMemoryMax);
  readonly #mergeMemory = new MemoryBudget(limits.s3MergesMemoryMax);
  readonly #puts = new Gate(limits.s3PutsInFlight);
  #objects: S3Objects;
  /** Seen once the store has refused an object for its parts, and not for equal ones. */
  #wantsEqualParts = false;

  private constructor(options: S3BlobStoreOptions, connection: S3Connection) {
    this.#options = options;
    this.#connection = connection;
    const { location, deploymentId } = options;
    this.#space = { prefix: location.prefix, deploymentId };
    this.#objects = this.#objectsFor(cautiousProfile);
  }

  /** Loads the SDK, and makes the bucket if that is wished. Run the self-test before uploads. */
  static async open(options: S3BlobStoreOptions): Promise<S3BlobStore> {
    const connection = await connectS3(options.location);
    try {
      if (options.location.createBucket) await createBucket(connection);
      return new S3BlobStore(options, connection);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Finds out what the store does, and uses what it can. */
  async selfTest(): Promise<S3Profile> {
    const nonce = this.#options.random.bytes(16).toString("hex");
    const profile = await new S3SelfTest({
      connection: this.#connection,
      clock: this.#options.clock,
      profile: cautiousProfile,
      prefix: `${deploymentPrefix(this.#space)}self-test/${nonce}/`,
    }).run();
    this.#objects = this.#objectsFor(profile);
    return profile;
  }

  async openAppender(request: AppenderRequest): Promise<Appender> {
    const { epoch, extents, offset, isUnproven = () => false } = request;
    const last = extents.findLast(({ key }) => key !== "");
    if (last !== undefined) {
      const isWhole = await this.isWhole(last).catch((error: unknown) => {
        throw storageError(error);
      });
      if (!isWhole) throw uploadError("upload_damaged", { offset });
    }
    const objects = this.#objects;
    return new S3Appender({
      put: (part) => objects.put(part),
      read: (key, range, signal) => objects.read(key, range, signal),
      keyOf: (run) => extentKey(this.#space, epoch, run),
      isUnproven,
      memory: this.#memory,
      mergeMemory: this.#mergeMemory,
      puts: this.#puts,
      firstPartBytes: this.#options.location.partBytes,
      clock: this.#options.clock,
      extents,
      offset,
    });
  }

  read(extent: StoredExtent, range: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#objects.read(extent.key, range, signal);
  }

  async isWhole(extent: StoredExtent): Promise<boolean> {
    const facts = await this.#objects.head(extent.key);
    return facts !== undefined && facts.length >= extent.length;
  }

  listKeys(epoch: BlobEpoch): AsyncIterable<string> {
    return this.#objects.list(epochPrefix(this.#space, epoch));
  }

  async *listBlobKeys(blobId: string): AsyncIterable<BlobKey> {
    for await (const key of this.#objects.list(`${deploymentPrefix(this.#space)}${blobId}/`)) {
      const facts = parseExtentKey(this.#space.prefix, key);
      if (facts === undefined) continue;
      const { base, openedAt, fence } = facts.epoch;
      yield { ...facts.extent, base, openedAt, fence, isUnproven: facts.isUnproven };
    }
  }

  async abandon(epoch: BlobEpoch): Promise<void> {
    const { sdk, client, bucket } = this.#connection;
    const prefix = epochPrefix(this.#space, epoch);
    for (;;) {
      const page = await client.send(
        new sdk.ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }),
      );
      const isTruncated = wasListed(prefix, page.IsTruncated);
      const uploads = page.Uploads ?? [];
      for (const { Key: key, UploadId: uploadId } of uploads) {
        const upload = { Bucket: bucket, Key: key, UploadId: uploadId };
        try {
          await client.send(new sdk.AbortMultipartUploadCommand(upload));
        } catch (error) {
          if (serviceError(error).name !== "NoSuchUpload") throw error;
        }
      }
      // What was aborted is not listed again: the next page is the first one.
      if (!isTruncated || uploads.length === 0) return;
    }
  }

  readonly assemble = async (request: AssembleRequest): Promise<StoredExtent> => {
    try {
      return await this.#assemble(request, this.#wantsEqualParts);
    } catch (error) {
      if (this.#wantsEqualParts || !(error instanceof PartsRefusedError)) throw error;
      const extent = await this.#assemble(request, true);
      this.#wantsEqualParts = true;
      return extent;
    }
  };

  readonly signUrl = (request: SignUrlRequest): Promise<string> => {
    const { sdk, presigner, client, bucket } = this.#connection;
    const command = new sdk.GetObjectCommand({
      Bucket: bucket,
      Key: request.extent.key,
      ResponseContentType: request.contentType,
      ResponseContentDisposition: request.contentDisposition,
    });
    return presigner.getSignedUrl(client, command, { expiresIn: request.lifetimeSeconds });
  };

  remove(keys: readonly string[]): Promise<void> {
    return this.#objects.remove(keys);
  }

  /** In a bucket that others use, too, a key that is unknown here says nothing: epochs do. */
  listOlderKeys(): AsyncIterable<string> {
    return ReadableStream.from<string>([]);
  }

  /** Objects are never set aside: a key without an extent is only ever reported. */
  quarantine(): Promise<boolean> {
    return Promise.resolve(false);
  }

  room(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  /** A small object beside the deployments', as text; undefined when it is not there. */
  async readObject(name: string): Promise<string | undefined> {
    const { sdk, readingClient, bucket } = this.#connection;
    const key = inPrefix(this.#space.prefix, name);
    try {
      const answer = await readingClient.send(
        new sdk.GetObjectCommand({ Bucket: bucket, Key: key }),
      );
      return await answer.Body?.transformToString();
    } catch (error) {
      if (isMissingKey(error)) return undefined;
      throw error;
    }
  }

  async writeObject(name: string, text: string): Promise<void> {
    const body = Buffer.from(text);
    const key = inPrefix(this.#space.prefix, name);
    await this.#objects.put({ key, body, crc32: crc32(body), signal: undefined });
  }

  #assemble(request: AssembleRequest, equalParts: boolean): Promise<StoredExtent> {
    return new S3Assembly({
      objects: this.#objects,
      memory: this.#mergeMemory,
      keyOf: (extent) => extentKey(this.#space, request.epoch, extent),
      nonce: this.#options.random.bytes(16).toString("hex"),
      equalParts,
    }).run(request);
  }

  #objectsFor(profile: S3Profile): S3Objects {
    return new S3Objects({ connection: this.#connection, clock: this.#options.clock, profile });
  }
}

async function createBucket({ sdk, client, bucket }: S3Connection): Promise<void> {
  try {
    await client.send(new sdk.CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (serviceError(error).name !== "BucketAlreadyOwnedByYou") throw error;
  }
}
