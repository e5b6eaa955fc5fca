import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import type { Body, BodyBatch } from "../../packages/server/src/base/body.ts";
import { UploadError } from "../../packages/server/src/base/errors.ts";
import { limits } from "../../packages/server/src/base/limits.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import type { BlobStore } from "../../packages/server/src/blobs/blob-store.ts";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import type { Upload } from "../../packages/server/src/catalog/records.ts";
import { SqliteCatalog } from "../../packages/server/src/catalog/sqlite.ts";
import { append } from "../../packages/server/src/engine/append.ts";
import { assembleNext } from "../../packages/server/src/engine/assemble.ts";
import { createUpload } from "../../packages/server/src/engine/create.ts";
import { handleOf } from "../../packages/server/src/engine/handle.ts";
import type { EngineParts } from "../../packages/server/src/engine/parts.ts";
import { publish } from "../../packages/server/src/engine/publish.ts";
import { readBlob } from "../../packages/server/src/engine/read.ts";
import { CatalogGuard } from "../../packages/server/src/engine/removal-guard.ts";
import { repair } from "../../packages/server/src/engine/repair.ts";
import { sweep } from "../../packages/server/src/engine/sweep.ts";
import { sweepCounter } from "../../packages/server/src/service/storage.ts";
import type { CephGateway } from "../support/ceph-gateway.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { S3FaultProxy } from "../support/s3-fault-proxy.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import { engineOf } from "./many-keys/engine-of.ts";
import { type Phase, sites, type Wrong } from "./s3-sites.ts";

/** Contracts wrapped to plant a fault; nothing is wrapped in a trial that must hold. */
export interface PlantedInS3 {
  readonly blobs?: (blobs: BlobStore) => BlobStore;
  readonly catalog?: (catalog: Catalog) => Catalog;
}

export interface S3TrialOptions {
  readonly partMib: number;
  readonly planted?: PlantedInS3;
  /** The store refuses to remove many objects by one request. */
  readonly oneByOne?: boolean;
}

const day = 24 * 60 * 60_000;
const never = new AbortController().signal;
const app = {
  id: "1001",
  lengthMax: 1e12,
  lifetimeMs: 365 * day,
  contentPolicy: "warn",
  roomBytesMax: undefined,
} as const;

/** One upload's life over a real gateway behind a proxy, and a client that remembers what it was told. */
export class S3Trial {
  readonly place: S3InTests;
  readonly proxy: S3FaultProxy;
  readonly clock: ManualClock;
  readonly problems: string[] = [];
  readonly engine: EngineParts;
  readonly guard: CatalogGuard;
  readonly bytes: Buffer;
  phase: Phase = "append";
  /** The highest offset that an answer named. */
  told = 0;
  upload: Upload;
  readonly #directory: string;
  readonly #wrong: Wrong[] = [];

  private constructor(parts: {
    readonly place: S3InTests;
    readonly proxy: S3FaultProxy;
    readonly directory: string;
    readonly engine: EngineParts;
    readonly guard: CatalogGuard;
    readonly clock: ManualClock;
    readonly upload: Upload;
    readonly bytes: Buffer;
  }) {
    this.place = parts.place;
    this.proxy = parts.proxy;
    this.#directory = parts.directory;
    this.engine = parts.engine;
    this.guard = parts.guard;
    this.clock = parts.clock;
    this.bytes = parts.bytes;
    this.upload = parts.upload;
    this.proxy.plan = (request) => {
      const at = this.#wrong.findIndex(({ site }) => {
        return sites[site].phase === this.phase && sites[site].matches(request);
      });
      const wrong = this.#wrong[at];
      if (wrong === undefined) return undefined;
      const { site, fault, times } = wrong;
      this.#wrong.splice(at, 1, ...(times > 1 ? [{ site, fault, times: times - 1 }] : []));
      return fault;
    };
  }

  static async start(
    gateway: CephGateway,
    bytes: Buffer,
    { partMib, planted = {}, oneByOne = false }: S3TrialOptions,
  ): Promise<S3Trial> {
    const directory = await mkdtemp(path.join(tmpdir(), "hawser-s3-"));
    const place = new S3InTests(gateway);
    const proxy = await S3FaultProxy.start(gateway.address);
    if (oneByOne) {
      proxy.plan = (request) =>
        sites.DeleteObjects.matches(request) ? "unimplemented" : undefined;
    }
    const store = await place.openStore({ endpoint: proxy.endpoint, partMib });
    const file = path.join(directory, "catalog.sqlite");
    const rows = await SqliteCatalog.open(file, (error) => {
      throw error;
    });
    const catalog = planted.catalog?.(rows) ?? rows;
    const blobs = planted.blobs?.(store) ?? store;
    const clock = new ManualClock();
    const identity = () => Promise.resolve(undefined);
    const guard = new CatalogGuard({ catalog, counter: sweepCounter(store), identity });
    const outside = { clock, random: systemRandom };
    const engine = engineOf({ catalog, blobs, ...outside, removalGuard: guard });
    const upload = await createUpload(engine, {
      ...{ id: systemRandom.uuid(), userId: "42", creation: "{}", app },
      ...{ protocol: "graph", completes: "at_length" },
      ...{ name: "a.bin", type: "application/octet-stream", length: bytes.length },
    });
    return new S3Trial({ place, proxy, directory, engine, guard, clock, upload, bytes });
  }

  /** Lets calls go wrong from now on. */
  expectWrong(wrong: readonly Wrong[]): void {
    this.#wrong.push(...wrong);
  }

  /** What was to go wrong and was never met. */
  get unmet(): readonly Wrong[] {
    return this.#wrong;
  }

  /** Sends up to `to`, going on from what it is told, whatever goes wrong on the way. */
  async send(to: number, engine = this.engine): Promise<string[]> {
    this.phase = "append";
    const failures: string[] = [];
    while (this.told < to) {
      if (failures.length > 5) throw new Error(`no end of failures: ${failures.join("; ")}`);
      const failure = await this.sendOnce(to, engine);
      if (failure !== undefined) failures.push(failure);
    }
    return failures;
  }

  /** One append; the error's code when it failed. */
  async sendOnce(to: number, engine = this.engine): Promise<string | undefined> {
    const { id } = this.upload;
    const body = bodyOf(this.bytes.subarray(this.told, to));
    let failure: string | undefined;
    try {
      const after = await append(engine, { id, offset: this.told, body, authorise });
      this.#hear(after.offset);
    } catch (error) {
      failure = error instanceof UploadError ? error.code : String(error);
      const facts = error instanceof UploadError ? error.detail.facts : {};
      if ("offset" in facts && typeof facts.offset === "number") this.#hear(facts.offset);
    }
    await this.look();
    return failure;
  }

  /** Asks for the offset, as a client does before it goes on. */
  async look(): Promise<void> {
    const found = await this.engine.catalog.findUpload(this.upload.id);
    if (found === undefined) throw new Error("the upload is gone");
    this.upload = found;
    this.#hear(found.offset);
  }

  #hear(offset: number): void {
    if (offset < this.told) this.problems.push(`told ${offset} after ${this.told}`);
    else this.told = offset;
  }

  async publish(): Promise<void> {
    if (this.upload.state !== "complete") throw new Error(`the upload is ${this.upload.state}`);
    const handle = await handleOf(this.engine, this.upload);
    const appId = this.upload.appId;
    await publish(this.engine, { appId, handle, name: undefined, description: undefined });
  }

  /** Until there is one object, as often as the engine itself would try. */
  async assemble(): Promise<void> {
    this.phase = "assemble";
    for (let tries = 0; tries < limits.assemblyTriesMax; tries += 1) {
      await assembleNext(this.engine, never);
      if ((await this.engine.catalog.listExtents(this.upload.blobId)).length === 1) return;
      this.clock.pass(limits.assemblyRetryMs * 4 ** tries);
    }
    this.problems.push("no one object was made");
  }

  /** A repair finds everything as it should be; tried again at once where it could not look. */
  async repair(): Promise<void> {
    this.phase = "repair";
    await this.guard.hold("a repair is tried");
    const found = await sooner(async () => {
      const { adopted, unexplained, problems } = await repair(this.engine, { dryRun: false });
      // What could not be looked at is left as it is, and named.
      if (problems.length > 0) throw new Error(JSON.stringify(problems));
      return [...adopted, ...unexplained];
    });
    if (found.length > 0) this.problems.push(`a repair found ${JSON.stringify(found)}`);
    await this.guard.allow();
  }

  /** All bytes that were acknowledged, by a download that tries again where it broke. */
  async checkBytes(when: string): Promise<void> {
    this.phase = "read";
    const found: Uint8Array[] = [];
    let position = 0;
    let last: unknown;
    for (let tries = 0; tries < 3 && position < this.told; tries += 1) {
      try {
        const range = { from: position, to: this.told };
        for await (const piece of readBlob(this.engine, this.upload.blobId, range)) {
          position += piece.length;
          found.push(Uint8Array.from(piece));
        }
      } catch (error) {
        last = error;
      }
    }
    if (position < this.told)
      this.problems.push(`${when}: unreadable from ${position}: ${String(last)}`);
    else if (!Buffer.concat(found).equals(this.bytes.subarray(0, this.told))) {
      this.problems.push(`${when}: other bytes are read`);
    }
  }

  /** One look of the sweep, tried again at once where it failed. */
  async sweep(): Promise<void> {
    this.phase = "sweep";
    await sooner(() => sweep(this.engine, { dryRun: false }));
  }

  /** All looks there are, and one more for whatever failed in the last. */
  async sweepAll(): Promise<void> {
    const hour = limits.doomedMs;
    for (const waitMs of [0, ...limits.orphanLooksMs, hour, day, 7 * day]) {
      this.clock.pass(waitMs);
      await this.sweep();
      await this.checkBytes("after a sweep");
    }
  }

  /** What lies in the bucket must be what the extents name, and nothing that was begun. */
  async checkBucket(): Promise<void> {
    const extents = await this.engine.catalog.listExtents(this.upload.blobId);
    const named = extents.flatMap(({ key }) => (key === "" ? [] : [key])).sort();
    const there = (await this.place.keys()).filter((key) => !key.endsWith(".json")).sort();
    const orphans = there.filter((key) => !named.includes(key));
    if (orphans.length > 0) this.problems.push(`orphans: ${orphans.join(", ")}`);
    const lost = named.filter((key) => !there.includes(key));
    if (lost.length > 0) this.problems.push(`lost: ${lost.join(", ")}`);
    const { client, bucket, prefix } = this.place;
    const list = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${prefix}/` });
    const begun = (await client.send(list)).Uploads ?? [];
    if (begun.length > 0) this.problems.push(`${begun.length} multipart uploads are left`);
  }

  /** The object itself, as anybody with the key would read it. */
  async checkObject(): Promise<void> {
    const [extent, ...others] = await this.engine.catalog.listExtents(this.upload.blobId);
    if (extent === undefined || others.length > 0) return;
    const found = await this.place.bytesOf(extent.key).catch(() => undefined);
    if (found === undefined || !this.bytes.equals(found))
      this.problems.push("the object has other bytes");
  }

  async close(): Promise<void> {
    await this.engine.blobs.close();
    await this.engine.catalog.close();
    await this.proxy.close();
    await this.place.dispose();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** What comes again by the hour comes again at once where it failed, though not for ever. */
async function sooner<Found>(work: () => Promise<Found>): Promise<Found> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

const authorise = (): Promise<void> => Promise.resolve();

/** A request's body that is all here. */
export function bodyOf(bytes: Buffer): Body {
  let rest = bytes;
  let stopped = false;
  return {
    announcedLength: bytes.length,
    isOver: true,
    next: (): Promise<BodyBatch> => {
      if (stopped) return Promise.resolve({ kind: "end", ending: "stopped" });
      if (rest.length === 0) return Promise.resolve({ kind: "end", ending: "clean" });
      const chunk = rest.subarray(0, 1024 * 1024);
      rest = rest.subarray(chunk.length);
      return Promise.resolve({ kind: "bytes", chunks: [chunk], length: chunk.length, waitedMs: 0 });
    },
    stop: () => {
      stopped = true;
    },
  };
}
