import { parseS3Location, type S3Location } from "../packages/server/src/blobs/s3/s3-location.ts";
import { S3BlobStore } from "../packages/server/src/blobs/s3/s3-blob-store.ts";
import type { DigestForm } from "../packages/server/src/blobs/s3/s3-profile.ts";
import { systemClock } from "../packages/server/src/base/clock.ts";
import { systemRandom } from "../packages/server/src/base/random.ts";
import { CephGateway, cephMissing } from "../test/support/ceph-gateway.ts";
import { PostgresServer, postgresMissing } from "../test/support/postgres-server.ts";

/** A Postgres and a bucket of a measurement's own: nothing is left in them by the one before. */
export class SharedStores implements AsyncDisposable {
  readonly postgres: PostgresServer;
  readonly ceph: CephGateway;
  readonly database: string;
  /** What Hawser's self-test found to be the cheapest that the store refuses wrong bodies by. */
  readonly digest: DigestForm | undefined;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<SharedStores, "postgres" | "ceph" | "database" | "digest">,
    stack: AsyncDisposableStack,
  ) {
    this.postgres = parts.postgres;
    this.ceph = parts.ceph;
    this.database = parts.database;
    this.digest = parts.digest;
    this.#stack = stack;
  }

  /** The reason why there can be none here, if any. */
  static async missing(): Promise<string | undefined> {
    return (await postgresMissing()) ?? (await cephMissing());
  }

  static async start(): Promise<SharedStores> {
    await using stack = new AsyncDisposableStack();
    const postgres = present(await PostgresServer.start());
    stack.defer(() => postgres.remove());
    const ceph = present(await CephGateway.start());
    stack.defer(() => ceph.stop());
    Object.assign(process.env, ceph.environment);
    const digest = await digestRefused(parseS3Location(ceph.location({ prefix: "self-test" })));
    const database = await postgres.createDatabase();
    return new SharedStores({ postgres, ceph, database, digest }, stack.move());
  }

  get catalogUrl(): string {
    return this.postgres.url(this.database);
  }

  get blobsUrl(): string {
    return this.ceph.location({ prefix: "bench" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Makes the bucket, too. */
async function digestRefused(location: S3Location): Promise<DigestForm | undefined> {
  const parts = { clock: systemClock, random: systemRandom, location };
  const store = await S3BlobStore.open({ ...parts, deploymentId: systemRandom.uuid() });
  try {
    return (await store.selfTest()).digest;
  } finally {
    await store.close();
  }
}

function present<Part>(part: Part | string): Part {
  if (typeof part === "string") throw new Error(part);
  return part;
}
