import { randomUUID } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type Clock, systemClock } from "../../packages/server/src/base/clock.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { S3BlobStore } from "../../packages/server/src/blobs/s3/s3-blob-store.ts";
import { parseS3Location } from "../../packages/server/src/blobs/s3/s3-location.ts";
import type { S3Gateway } from "./s3-gateway.ts";

export interface S3StoreWishes {
  /** Where the gateway is reached instead, such as through a proxy. */
  readonly endpoint?: string;
  readonly partMib?: number;
  readonly clock?: Clock;
}

/** A prefix of its own in a gateway's bucket, with a way to look behind a store's back. */
export class S3InTests {
  readonly prefix = `test/${randomUUID()}`;
  readonly deploymentId = randomUUID();
  readonly #gateway: S3Gateway;
  readonly #client: S3Client;

  constructor(gateway: S3Gateway) {
    this.#gateway = gateway;
    this.#client = gateway.client();
    // The store takes its keys from where a server's would be.
    Object.assign(process.env, gateway.environment);
  }

  get client(): S3Client {
    return this.#client;
  }

  get bucket(): string {
    return this.#gateway.bucket;
  }

  async openStore(wishes: S3StoreWishes = {}): Promise<S3BlobStore> {
    const store = await S3BlobStore.open({
      location: parseS3Location(this.#gateway.location({ prefix: this.prefix, ...wishes })),
      deploymentId: this.deploymentId,
      clock: wishes.clock ?? systemClock,
      random: systemRandom,
    });
    await store.selfTest();
    return store;
  }

  async keys(): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: `${this.prefix}/`,
          ContinuationToken: token,
        }),
      );
      keys.push(...(page.Contents ?? []).flatMap(({ Key: key }) => key ?? []));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return keys;
  }

  async lengthOf(key: string): Promise<number> {
    const command = new HeadObjectCommand({ Bucket: this.bucket, Key: key });
    return (await this.#client.send(command)).ContentLength ?? -1;
  }

  async bytesOf(key: string): Promise<Uint8Array> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key });
    const bytes = await (await this.#client.send(command)).Body?.transformToByteArray();
    if (bytes === undefined) throw new Error(`${key} has no bytes`);
    return bytes;
  }

  async replace(key: string, bytes: Uint8Array): Promise<void> {
    const target = { Bucket: this.bucket, Key: key };
    await this.#client.send(new PutObjectCommand({ ...target, Body: bytes }));
  }

  async dispose(): Promise<void> {
    for (const key of await this.keys()) {
      await this.#client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
    }
    this.#client.destroy();
  }
}
