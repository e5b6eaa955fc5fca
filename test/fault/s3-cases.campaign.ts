import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { silentLog } from "../../packages/server/src/base/log.ts";
import { limits } from "../../packages/server/src/base/limits.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import type {
  Appender,
  BlobStore,
  Checkpoint,
} from "../../packages/server/src/blobs/blob-store.ts";
import type { Catalog } from "../../packages/server/src/catalog/catalog.ts";
import { append } from "../../packages/server/src/engine/append.ts";
import { createUpload } from "../../packages/server/src/engine/create.ts";
import { Leases } from "../../packages/server/src/engine/lease.ts";
import { readBlob } from "../../packages/server/src/engine/read.ts";
import { repair } from "../../packages/server/src/engine/repair.ts";
import { sweep } from "../../packages/server/src/engine/sweep.ts";
import { openStorage, type Storage } from "../../packages/server/src/service/storage.ts";
import { CephGateway } from "../support/ceph-gateway.ts";
import { eventually } from "../support/eventually.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import { SeededRandom } from "../support/seeded.ts";
import { recordPlanted, recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { engineOf } from "./many-keys/engine-of.ts";
import { bodyOf, type PlantedInS3, S3Trial } from "./s3-trial.ts";
import { overBlobStore } from "./simulation/composition.ts";

const MiB = 1024 * 1024;
const harness = "S3 writers that fail, wake late, or lose their catalog";
const promise = "no acknowledged byte is lost, no offset falls and nothing is left over";
const seed = wholeNumber("HAWSER_S3_CASE_SEED", 20_262);
const gateway = await CephGateway.start();

function describeCases(ceph: CephGateway): void {
  const opened: S3Trial[] = [];
  const random = new SeededRandom(seed);

  afterEach(async () => {
    for (const trial of opened.splice(0)) await trial.close();
  });

  async function start(length: number, planted: PlantedInS3 = {}): Promise<S3Trial> {
    const trial = await S3Trial.start(ceph, random.bytes(length), { partMib: 1, planted });
    opened.push(trial);
    return trial;
  }

  async function finish(trial: S3Trial): Promise<string[]> {
    await trial.send(trial.bytes.length);
    await trial.publish();
    await trial.assemble();
    await trial.sweepAll();
    await trial.checkBucket();
    await trial.checkObject();
    return [...trial.problems, ...trial.unmet.map(({ site }) => `${site} was not met`)];
  }

  /** Every try of the put of the extent that begins there is refused. */
  function refusePutsOf(trial: S3Trial, start: number): void {
    trial.proxy.plan = ({ method, path: asked }) =>
      method === "PUT" && asked.includes(`/${start}-`) ? "refuse" : undefined;
  }

  async function withHole(planted: PlantedInS3 = {}): Promise<string[]> {
    const trial = await start(4 * MiB + 1_000, planted);
    refusePutsOf(trial, MiB);
    const failure = await trial.sendOnce(4 * MiB);
    const problems =
      failure === "storage_failed" ? [] : [`the append ended with ${String(failure)}`];
    if (trial.told !== MiB) problems.push(`told ${trial.told} of ${MiB} bytes before the hole`);
    await trial.checkBytes("after the failure");
    trial.proxy.plan = () => undefined;
    await trial.send(trial.bytes.length);
    await trial.checkBytes("when complete");
    return [...problems, ...trial.problems];
  }

  async function leavingOrphans(planted: PlantedInS3 = {}): Promise<string[]> {
    const trial = await start(9 * MiB, planted);
    trial.expectWrong([
      // Two parts are in flight, each is tried three times, and one that got through by its
      // last try would leave nothing to abort.
      { site: "UploadPart", fault: "refuse", times: 6 },
      { site: "AbortMultipartUpload", fault: "refuse", times: 3 },
    ]);
    await trial.send(MiB + 50_000);
    return await finish(trial);
  }

  test("a failed tail never lowers the offset", async () => {
    const faults = ["refuse", "reset", "lose", "false-success"] as const;
    for (const fault of faults) {
      const trial = await start(MiB + 90_000);
      await trial.send(MiB + 30_000);
      trial.proxy.plan = ({ method, path: asked }) =>
        method === "PUT" && asked.includes(`/${MiB + 30_000}-`) ? fault : undefined;
      expect(await trial.sendOnce(MiB + 60_000)).toBe("storage_failed");
      expect(trial.told).toBe(MiB + 30_000);
      await trial.checkBytes("after the failure");
      trial.proxy.plan = () => undefined;
      expect(await finish(trial)).toEqual([]);
    }
    const what = `${harness}: a failed tail never lowers the offset`;
    await recordTrials({ promise, fault: what, n: faults.length, seed });
  });

  test("a part that fails while later ones succeed leaves no hole of wrong bytes", async () => {
    expect(await withHole()).toEqual([]);
    const trial = opened[0];
    if (trial === undefined) throw new Error("a trial was expected");
    expect(await trial.place.keys()).toContainEqual(expect.stringContaining(`/${2 * MiB}-`));
    expect(await finish(trial)).toEqual([]);
    await recordTrials({
      promise,
      fault: `${harness}: a part fails, later ones do not`,
      n: 1,
      seed,
    });
  });

  test("a writer that wakes after a takeover and puts late changes nothing", async () => {
    const trial = await start(2 * MiB + 40_000);
    let paused = false;
    trial.proxy.plan = ({ method, path: asked }) => {
      if (paused || method !== "PUT" || !asked.includes("/0-")) return undefined;
      paused = true;
      return "pause";
    };
    const other = { ...trial.engine, leases: new Leases(trial.engine) };
    const { id } = trial.upload;
    const strange = random.bytes(MiB + 20_000);
    const authorise = (): Promise<void> => Promise.resolve();
    const stale = append(other, { id, offset: 0, body: bodyOf(strange), authorise });
    const outcome = expect(stale).rejects.toMatchObject({ code: "superseded" });
    await eventually(() => (trial.proxy.held > 0 ? true : undefined), { what: "the paused put" });
    await trial.send(MiB + 25_000);
    await trial.proxy.release();
    await outcome;
    await trial.checkBytes("after the stale writer");
    expect(await finish(trial)).toEqual([]);
    await recordTrials({ promise, fault: `${harness}: a paused writer wakes`, n: 1, seed });
  });

  test("a put that lands after a look of the sweep is removed by the next", async () => {
    const trial = await start(MiB + 40_000);
    trial.proxy.plan = ({ method }) => (method === "PUT" ? "late" : undefined);
    expect(await trial.sendOnce(MiB)).toBe("storage_failed");
    trial.proxy.plan = () => undefined;
    expect(trial.proxy.held).toBe(3);
    await trial.send(trial.bytes.length);
    await trial.publish();
    await trial.sweep();
    const before = await trial.place.keys();
    for (const waitMs of limits.orphanLooksMs) {
      await trial.proxy.release();
      expect(await trial.place.keys()).toHaveLength(before.length + 1);
      trial.clock.pass(waitMs);
      await trial.sweep();
      expect(await trial.place.keys()).toEqual(before);
    }
    await trial.checkBytes("after all looks");
    expect(trial.problems).toEqual([]);
    await recordTrials({ promise, fault: `${harness}: a put lands after each look`, n: 3, seed });
  });

  test("the harness notices a store that reports later parts although an earlier failed", async () => {
    const problems = await withHole({ blobs: reportingLaterParts });
    const as = problems.find((problem) => /unreadable|other bytes/.test(problem)) ?? "";
    expect(as, problems.join("; ")).not.toBe("");
    await recordPlanted({ harness, planted: "later parts are reported", noticedAfter: 1, as });
  });

  test("the harness notices a sweep that asks for no known keys", async () => {
    const problems = await leavingOrphans({ catalog: knowingNoKeys });
    expect(problems).not.toEqual([]);
    const as = problems[0] ?? "";
    await recordPlanted({ harness, planted: "no key is known", noticedAfter: 1, as });
  });

  test("the harness notices a sweep that aborts no multipart upload", async () => {
    expect(await leavingOrphans()).toEqual([]);
    const blobs = (store: BlobStore): BlobStore =>
      overBlobStore(store, { abandon: () => Promise.resolve() });
    const problems = await leavingOrphans({ blobs });
    expect(problems).toEqual([expect.stringContaining("multipart uploads are left")]);
    const as = problems[0] ?? "";
    await recordPlanted({ harness, planted: "nothing is aborted", noticedAfter: 1, as });
  });
}

/** Each MiB goes by an appender of its own, and whatever arrived of them counts. */
function reportingLaterParts(store: BlobStore): BlobStore {
  return overBlobStore(store, {
    openAppender: (request): Promise<Appender> => {
      const inner: Appender[] = [];
      let position = request.offset;
      return Promise.resolve({
        get position() {
          return position;
        },
        write: async (chunks) => {
          const one = await store.openAppender({ ...request, extents: [], offset: position });
          inner.push(one);
          await one.write(chunks);
          position = one.position;
        },
        checkpoint: async (): Promise<Checkpoint> => {
          const ends = await Promise.allSettled(
            inner.splice(0).map((one) => one.checkpoint("everything")),
          );
          const done = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
          const extents = done.flatMap((one) => one.extents);
          return { to: position, extents, replaced: [], syncMs: 0 };
        },
        close: () => Promise.resolve(),
      });
    },
  });
}

function knowingNoKeys(catalog: Catalog): Catalog {
  return new Proxy(catalog, {
    get: (target, name): unknown => {
      if (name === "knownKeys") return () => Promise.resolve(new Set<string>());
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value; // bind gives any
    },
  });
}

function describeStorage(ceph: CephGateway): void {
  const random = new SeededRandom(seed + 1);
  const authorise = (): Promise<void> => Promise.resolve();
  const fail = (error: Error): never => {
    throw error;
  };
  let place: S3InTests;
  let directories: string[] = [];

  afterEach(async () => {
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
    directories = [];
    await place.dispose();
  });

  async function makeDirectory(): Promise<string> {
    const directory = await mkdtemp(path.join(tmpdir(), "hawser-s3-"));
    directories.push(directory);
    return directory;
  }

  function open(dataDirectory: string, prefix = place.prefix): Promise<Storage> {
    const blobsUrl = ceph.location({ prefix, partMib: 1 });
    const config = { dataDirectory, catalogConnections: 2, blobsUrl };
    const ends = { onFatal: fail, onVolumeFailure: fail };
    return openStorage({ config, threadPoolSize: 4, log: silentLog, ...ends });
  }

  function engineIn({ catalog, blobs, removalGuard }: Storage, clock: ManualClock) {
    if (removalGuard === undefined) throw new Error("a bucket has a guard");
    const engine = engineOf({ catalog, blobs, clock, random: systemRandom, removalGuard });
    return { engine, guard: removalGuard };
  }

  test("another deployment's bucket and prefix are refused at the start", async () => {
    place = new S3InTests(ceph);
    const first = await makeDirectory();
    await (await open(first)).close();
    const second = await makeDirectory();
    await expect(open(second)).rejects.toThrow("belong to the deployment");
    await (await open(second, `${place.prefix}/other`)).close();
    await expect(open(first, `${place.prefix}/other`)).rejects.toThrow("belong to the deployment");
    await (await open(first)).close();
  });

  test("a restored catalog removes nothing until it is repaired and allowed", async () => {
    place = new S3InTests(ceph);
    const directory = await makeDirectory();
    const copy = path.join(await makeDirectory(), "copy");
    const clock = new ManualClock();
    const bytes = random.bytes(4 * MiB);
    const at = (from: number, to: number) => ({
      offset: from,
      body: bodyOf(bytes.subarray(from, to)),
    });
    let storage = await open(directory);
    let { engine } = engineIn(storage, clock);
    const app = {
      id: "1",
      lengthMax: 1e12,
      lifetimeMs: 1e11,
      contentPolicy: "off",
      roomBytesMax: undefined,
    } as const;
    const { id, blobId } = await createUpload(engine, {
      ...{ id: systemRandom.uuid(), app, userId: "1", name: "a", type: "a/b", creation: "{}" },
      ...{ protocol: "graph", completes: "at_length" },
      length: bytes.length,
    });
    await append(engine, { id, ...at(0, MiB), authorise });
    await sweep(engine, { dryRun: false });
    await storage.close();
    await cp(directory, copy, { recursive: true });

    storage = await open(directory);
    ({ engine } = engineIn(storage, clock));
    const told = await append(engine, { id, ...at(MiB, 3 * MiB), authorise });
    expect(told.offset).toBe(3 * MiB);
    await sweep(engine, { dryRun: false });
    await storage.close();
    await rm(directory, { recursive: true });
    await cp(copy, directory, { recursive: true });

    storage = await open(directory);
    const restored = engineIn(storage, clock);
    ({ engine } = restored);
    const before = await place.keys();
    for (const waitMs of [0, ...limits.orphanLooksMs]) {
      clock.pass(waitMs);
      expect((await sweep(engine, { dryRun: false })).refusal).toContain("it was restored");
    }
    expect(await place.keys()).toEqual(before);
    await repair(engine, { dryRun: false });
    expect((await engine.catalog.findUpload(id))?.offset).toBe(3 * MiB);
    await restored.guard.allow();
    for (const waitMs of [0, ...limits.orphanLooksMs]) {
      clock.pass(waitMs);
      expect((await sweep(engine, { dryRun: false })).refusal).toBeUndefined();
    }
    const after = await append(engine, { id, ...at(3 * MiB, bytes.length), authorise });
    expect(after.state).toBe("complete");
    const pieces: Uint8Array[] = [];
    for await (const piece of readBlob(engine, blobId, { from: 0, to: bytes.length })) {
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    await storage.close();
    await recordTrials({ promise, fault: `${harness}: the catalog is an older copy`, n: 1, seed });
  });
}

if (typeof gateway === "string") {
  test(harness, (context) => {
    context.skip(gateway);
  });
} else {
  afterAll(() => gateway.stop());
  describe(harness, () => {
    describeCases(gateway);
    describe("kept by a service", () => {
      describeStorage(gateway);
    });
  });
}
