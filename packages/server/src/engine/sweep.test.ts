import { beforeEach, expect, test } from "vitest";
import { makeUpload } from "../../../../test/contract/catalog-samples.ts";
import { engineOf } from "../../../../test/fault/many-keys/engine-of.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryBlobStore } from "../../../../test/support/memory-blob-store.ts";
import { MemoryBucket } from "../../../../test/support/memory-bucket.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { limits } from "../base/limits.ts";
import { systemRandom } from "../base/random.ts";
import { KeysLeftError } from "../blobs/blob-store.ts";
import type { EngineParts } from "./parts.ts";
import { sweep } from "./sweep.ts";

/** As a bucket whose policy, or an object's lock, denies the removal of some keys. */
class LockingStore extends MemoryBlobStore {
  readonly locked = new Set<string>();
  asked = 0;
  onAsked: (keys: readonly string[]) => void = () => undefined;

  override async remove(keys: readonly string[]): Promise<void> {
    this.asked += keys.length;
    if (keys.length > 0) this.onAsked(keys);
    await super.remove(keys.filter((key) => !this.locked.has(key)));
    const left = keys.filter((key) => this.locked.has(key));
    if (left.length > 0) throw new KeysLeftError(left, "AccessDenied");
  }
}

let clock: ManualClock;
let catalog: MemoryCatalog;
let bucket: MemoryBucket;
let blobs: LockingStore;
let engine: EngineParts;

beforeEach(() => {
  clock = new ManualClock();
  catalog = new MemoryCatalog();
  bucket = new MemoryBucket();
  blobs = new LockingStore({ bucket, partBytes: 1_000, mergeAt: 8 });
  engine = engineOf({ catalog, blobs, clock, random: systemRandom });
});

function store(key: string, isLocked: boolean): void {
  bucket.objects.set(key, Buffer.from("bytes"));
  if (isLocked) blobs.locked.add(key);
}

/** More of them than one batch has. */
function doomLocked(count: number): void {
  for (let index = 0; index < count; index += 1) {
    store(`locked-${index}`, true);
    catalog.rows.doomed.set(`locked-${index}`, clock.now());
  }
}

test("however many doomed keys the store keeps, those behind them go in the same sweep", async () => {
  doomLocked(1_200);
  clock.pass(1);
  store("free", false);
  catalog.rows.doomed.set("free", clock.now());
  clock.pass(limits.doomedMs);
  const report = await sweep(engine, { dryRun: false });
  expect(report.removedKeys).toBe(1);
  expect(bucket.objects.has("free")).toBe(false);
  expect(bucket.objects.size).toBe(1_200);
  expect(catalog.rows.doomed.size).toBe(1_200);
});

test("what the store keeps is left alone for a while, and goes once the store lets it", async () => {
  doomLocked(1_200);
  clock.pass(limits.doomedMs);
  await sweep(engine, { dryRun: false });
  const { asked } = blobs;
  await sweep(engine, { dryRun: false });
  expect(blobs.asked).toBe(asked);
  blobs.locked.clear();
  clock.pass(limits.doomedMs);
  for (let sweeps = 0; sweeps < 3; sweeps += 1) await sweep(engine, { dryRun: false });
  expect(bucket.objects.size).toBe(0);
  expect(catalog.rows.doomed.size).toBe(0);
});

/** A closed epoch with so many keys that no row names. */
async function strand(fence: string, keys: { free: number; locked: number }): Promise<void> {
  const epoch = { fence, blobId: fence, base: 0, openedAt: 0 };
  await catalog.openEpoch({ ...epoch, uploadId: undefined, looks: 0 });
  await catalog.closeEpoch(fence, clock.now());
  const prefix = `${fence}/0-0-${fence}`;
  for (let at = 0; at < keys.locked; at += 1) store(`${prefix}/a${at}`, true);
  for (let at = 0; at < keys.free; at += 1) store(`${prefix}/b${at}`, false);
}

test("the orphans of an epoch go, however many before them the store keeps", async () => {
  await strand("one", { locked: 1_200, free: 3 });
  clock.pass(limits.orphanLooksMs[0] ?? 0);
  const report = await sweep(engine, { dryRun: false });
  expect(report.removedOrphans).toBe(3);
  expect(bucket.objects.size).toBe(1_200);
});

test("epochs whose orphans the store keeps hold up none behind them, and are looked at again", async () => {
  for (let count = 0; count < 150; count += 1)
    await strand(`locked-${count}`, { locked: 1, free: 0 });
  clock.pass(1);
  await strand("free", { locked: 0, free: 1 });
  clock.pass(limits.orphanLooksMs[0] ?? 0);
  let removed = 0;
  for (let sweeps = 0; sweeps < 2; sweeps += 1) {
    removed += (await sweep(engine, { dryRun: false })).removedOrphans;
  }
  expect(removed).toBe(1);
  const [kept] = await catalog.listEpochs("locked-0");
  expect(kept?.looks).toBe(0);
  blobs.locked.clear();
  clock.pass(limits.orphanLooksMs[0] ?? 0);
  for (let sweeps = 0; sweeps < 2; sweeps += 1) await sweep(engine, { dryRun: false });
  expect(bucket.objects.size).toBe(0);
});

test("a sweep that is told to stop ends with the batch it is at, and the next one does the rest", async () => {
  for (let index = 0; index < 1_200; index += 1) {
    store(`doomed-${index}`, false);
    catalog.rows.doomed.set(`doomed-${index}`, clock.now());
  }
  await strand("one", { locked: 0, free: 1_200 });
  clock.pass(limits.doomedMs + (limits.orphanLooksMs[0] ?? 0));
  const swept: [number, number][] = [];
  for (let sweeps = 0; sweeps < 6; sweeps += 1) {
    const ending = new AbortController();
    blobs.onAsked = () => {
      ending.abort();
    };
    const { asked } = blobs;
    const report = await sweep(engine, { dryRun: false, signal: ending.signal });
    swept.push([blobs.asked - asked, report.removedKeys]);
  }
  expect(swept.slice(0, 3)).toEqual([
    [500, 500],
    [500, 500],
    [200, 200],
  ]);
  expect(swept.slice(3).map(([asked]) => asked)).toEqual([500, 500, 200]);
  expect(bucket.objects.size).toBe(0);
});

test("a sweep that is told to stop in the middle of an epoch has not looked at it", async () => {
  await strand("one", { locked: 0, free: 501 });
  clock.pass(limits.orphanLooksMs[0] ?? 0);
  const ending = new AbortController();
  blobs.onAsked = () => {
    ending.abort();
  };
  await sweep(engine, { dryRun: false, signal: ending.signal });
  expect(bucket.objects.size).toBe(1);
  const [kept] = await catalog.listEpochs("one");
  expect(kept?.looks).toBe(0);
});

/** More of each than several batches have. */
const many = 1_200;

async function expireMany(): Promise<void> {
  for (let count = 0; count < many; count += 1) {
    await catalog.insertUpload(makeUpload({ expiresAt: clock.now() }));
  }
}

test("one sweep does all that is due, however many batches that is", async () => {
  await expireMany();
  for (let count = 0; count < many; count += 1) {
    store(`doomed-${count}`, false);
    catalog.rows.doomed.set(`doomed-${count}`, clock.now());
    await strand(`epoch-${count}`, { free: 1, locked: 0 });
  }
  const [firstLookMs = 0] = limits.orphanLooksMs;
  clock.pass(Math.max(limits.doomedMs, firstLookMs));
  const report = await sweep(engine, { dryRun: false });
  expect(report).toMatchObject({
    expiredUploads: many,
    removedKeys: many,
    removedOrphans: many,
  });
  const now = clock.now();
  expect(await catalog.listExpiring(now, 1)).toEqual([]);
  expect(catalog.rows.doomed.size).toBe(0);
  const look = { now, closedBefore: now - firstLookMs, limit: 1 };
  expect(await catalog.listEpochsDue(look)).toEqual([]);
});

test("a sweep in which removal is held ends with the batch it is at", async () => {
  await expireMany();
  catalog.rows.doomed.set("doomed", clock.now());
  clock.pass(limits.doomedMs);
  const answers = [undefined, "an operator holds removal"];
  const removalGuard = {
    countSweep: () => Promise.resolve(undefined),
    refusal: () => Promise.resolve(answers.length > 1 ? answers.shift() : answers[0]),
  };
  const report = await sweep({ ...engine, removalGuard }, { dryRun: false });
  expect(report).toMatchObject({ expiredUploads: 500, removedKeys: 0 });
  expect(catalog.rows.doomed.size).toBe(1);
});

test("a sweep ends where not one of a batch's epochs can be looked at, and leaves them due", async () => {
  for (let count = 0; count < 150; count += 1) await strand(`${count}`, { free: 1, locked: 0 });
  clock.pass(limits.orphanLooksMs[0] ?? 0);
  blobs.onAsked = () => {
    throw new Error("the store is away");
  };
  expect((await sweep(engine, { dryRun: false })).removedOrphans).toBe(0);
  blobs.onAsked = () => undefined;
  expect((await sweep(engine, { dryRun: false })).removedOrphans).toBe(150);
});

test("epochs that cannot be looked at hold up none behind them", async () => {
  for (let count = 0; count < 99; count += 1) await strand(`bad-${count}`, { free: 1, locked: 0 });
  clock.pass(1);
  for (let count = 0; count < 150; count += 1) await strand(`${count}`, { free: 1, locked: 0 });
  clock.pass(limits.orphanLooksMs[0] ?? 0);
  let refused = 0;
  blobs.onAsked = (keys) => {
    if (!keys.some((key) => key.startsWith("bad-"))) return;
    refused += 1;
    throw new Error("it cannot be read");
  };
  expect((await sweep(engine, { dryRun: false })).removedOrphans).toBe(150);
  expect(refused).toBe(99);
});
