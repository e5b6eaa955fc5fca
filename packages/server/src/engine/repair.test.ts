import { createHash, randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { givenBody } from "../../../../test/support/given-body.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryBlobStore } from "../../../../test/support/memory-blob-store.ts";
import { MemoryBucket } from "../../../../test/support/memory-bucket.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import type { MemoryRows } from "../../../../test/support/memory-rows.ts";
import { patternBytes } from "../../../../test/support/seeded.ts";
import type { BodyEnding } from "../base/body.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Extent, Upload } from "../catalog/records.ts";
import { append } from "./append.ts";
import { assembleNext, requestAssembly } from "./assemble.ts";
import { concatenate } from "./concatenate.ts";
import { createUpload } from "./create.ts";
import { Leases, type Lease } from "./lease.ts";
import { findUpload } from "./look-up.ts";
import type { EngineParts } from "./parts.ts";
import { readBlob } from "./read.ts";
import { CatalogGuard, unguardedRemoval } from "./removal-guard.ts";
import { repair } from "./repair.ts";
import { repairAndGo } from "./repair-go.ts";
import { sweepOrphans } from "./sweep-orphans.ts";

const app = {
  id: "1001",
  lengthMax: 1e9,
  lifetimeMs: 86_400_000,
  contentPolicy: "off",
  roomBytesMax: undefined,
} as const;

let bucket: MemoryBucket;
let catalog: MemoryCatalog;
let engine: EngineParts;
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
  bucket = new MemoryBucket();
  const blobs = new MemoryBlobStore({ bucket, partBytes: 20_000, mergeAt: 4 });
  catalog = new MemoryCatalog();
  engine = engineOver(catalog, { blobs, clock });
});

/** The engine while removal is refused, as it is of a restored catalog. */
function held(): EngineParts {
  return {
    ...engine,
    removalGuard: { ...unguardedRemoval, refusal: () => Promise.resolve("a backup") },
  };
}

/** The same over what the catalog was then. */
function restoredFrom(backup: MemoryRows): EngineParts {
  const { removalGuard } = held();
  return engineOver(new MemoryCatalog(backup), { blobs: engine.blobs, clock, removalGuard });
}

const words = () =>
  ({
    ...{ id: randomUUID(), app, userId: "42", name: "a.bin", type: "a/b" },
    ...{ protocol: "tus", creation: "" },
  }) as const;

async function begin(length: number): Promise<Upload> {
  return await createUpload(engine, { ...words(), length, completes: "at_length" });
}

async function fill({ id }: Upload, length: number): Promise<Upload> {
  const body = givenBody([patternBytes({ seed: 8, length })]);
  return await append(engine, { id, offset: 0, body, authorise: () => Promise.resolve() });
}

async function whole(length: number): Promise<Upload> {
  return await fill(await begin(length), length);
}

/** Of two others, with its extents: all lie under keys of theirs. */
async function joined(): Promise<{ upload: Upload; extents: readonly Extent[] }> {
  const [one, other] = [await whole(50_000), await whole(30_000)];
  const upload = await concatenate(engine, { ...words(), of: [one.id, other.id] });
  return { upload, extents: await engine.catalog.listExtents(upload.blobId) };
}

test("a concatenation whose keys are its parts' is found to be whole", async () => {
  await joined();
  const { problems, unexplained } = await repair(engine, { dryRun: true });
  expect({ problems, unexplained }).toEqual({ problems: [], unexplained: [] });
});

test("a concatenation that lacks one of its parts' keys is told to", async () => {
  const { upload, extents } = await joined();
  await engine.blobs.remove([extents.at(-1)?.key ?? ""]);
  const { problems } = await repair(engine, { dryRun: true });
  expect(problems).toContainEqual({
    blob: upload.blobId,
    upload: upload.id,
    problem: "keys that hold its bytes are missing",
  });
});

test("a concatenation that a backup has waiting is completed by what was made of it since", async () => {
  const [one, other] = [await whole(50_000), await begin(30_000)];
  const { id, blobId } = await concatenate(engine, { ...words(), of: [one.id, other.id] });
  const backup = catalog.rows.copy();
  await fill(other, 30_000);
  await findUpload(engine, id, app.id);
  await requestAssembly(engine, blobId);
  await assembleNext(engine, new AbortController().signal);
  const [assembled] = await catalog.listExtents(blobId);
  await engine.blobs.remove(bucket.keys().filter((key) => key !== assembled?.key));
  const restored = restoredFrom(backup);
  const { adopted } = await repair(restored, { dryRun: false });
  expect(adopted).toMatchObject([{ upload: id, from: 0, to: 80_000 }]);
  const found = await findUpload(restored, id, app.id);
  expect(found).toMatchObject({ state: "complete", length: 80_000, offset: 80_000 });
});

/** A node made it one extent, and the old keys are gone; of the end no row tells. */
async function assembleUnknown({ blobId, offset: base }: Upload): Promise<() => Promise<void>> {
  const [nonce, now] = [randomUUID().replaceAll("-", ""), clock.now()];
  await catalog.requestAssembly(blobId, now);
  await catalog.claimAssembly({ now, until: now + limits.assemblyMsMax, nonce });
  const epoch = { fence: nonce, blobId, base, openedAt: now };
  await catalog.openEpoch({ ...epoch, uploadId: undefined, looks: 0 });
  return async () => {
    const extents = await catalog.listExtents(blobId);
    await engine.blobs.assemble?.({ epoch, extents });
    await engine.blobs.remove(extents.map(({ key }) => key));
  };
}

/** Every look at what nothing was committed of. */
async function sweepAllLooks(): Promise<void> {
  for (const waitMs of [0, ...limits.orphanLooksMs]) {
    clock.pass(waitMs);
    await sweepOrphans(engine);
  }
}

test("blobs that were each being made one extent at a backup are all taken back", async () => {
  const uploads = [await whole(50_000), await whole(30_000)];
  // The last to be repaired was claimed first.
  uploads.sort((one, other) => (one.blobId < other.blobId ? 1 : -1));
  const ends: (() => Promise<void>)[] = [];
  for (const upload of uploads) {
    ends.push(await assembleUnknown(upload));
    clock.pass(1_000);
  }
  for (const end of ends) await end();
  clock.pass(2 * limits.assemblyMsMax);
  const { adopted, problems } = await repair(held(), { dryRun: false });
  expect({ problems, adopted: adopted.length }).toEqual({ problems: [], adopted: 2 });
  await sweepAllLooks();
  for (const { blobId, offset } of uploads) {
    const pieces: Uint8Array[] = [];
    for await (const piece of readBlob(engine, blobId, { from: 0, to: offset })) pieces.push(piece);
    expect(Buffer.concat(pieces)).toEqual(patternBytes({ seed: 8, length: offset }));
  }
});

test.for([
  { left: "no problems", despiteProblems: false, isAllowed: true },
  { left: "problems", despiteProblems: false, isAllowed: false },
  { left: "problems", despiteProblems: true, isAllowed: true },
])("with $left left, --go allows removal: $isAllowed", async (given) => {
  const { extents } = await joined();
  if (given.left === "problems") await engine.blobs.remove([extents.at(-1)?.key ?? ""]);
  let isAllowed = false;
  const allow = (): Promise<void> => {
    isAllowed = true;
    return Promise.resolve();
  };
  const { despiteProblems } = given;
  const guard = { hold: () => Promise.resolve() };
  const dry = { dryRun: true, go: true, despiteProblems, restored: false };
  expect((await repairAndGo(held(), { ...guard, allow }, dry)).removalAllowed || isAllowed).toBe(
    false,
  );
  const { removalAllowed } = await repairAndGo(
    held(),
    { ...guard, allow },
    { ...dry, dryRun: false },
  );
  expect({ removalAllowed, isAllowed }).toEqual({
    removalAllowed: given.isAllowed,
    isAllowed: given.isAllowed,
  });
});

test("a backup that nothing shows to be one is repaired on the operator's word", async () => {
  const upload = await fill(await begin(50_000), 20_000);
  const backup = new MemoryCatalog(catalog.rows.copy());
  const body = givenBody([patternBytes({ seed: 8, start: 20_000, length: 20_000 })]);
  const request = { id: upload.id, offset: 20_000, body };
  await append(engine, { ...request, authorise: () => Promise.resolve() });
  const guard = new CatalogGuard({
    catalog: backup,
    counter: { read: () => Promise.resolve(undefined), write: () => Promise.resolve() },
    identity: () => Promise.resolve(undefined),
  });
  const restored = engineOver(backup, { blobs: engine.blobs, clock, removalGuard: guard });
  const wish = { dryRun: false, go: false, despiteProblems: false, restored: false };
  const offset = async () => (await backup.findUpload(upload.id))?.offset;

  const told = { adopted: [{ from: 20_000, to: 40_000 }], dryRun: true, removalHeld: undefined };
  expect(await repairAndGo(restored, guard, wish)).toMatchObject(told);
  const dry = { ...wish, dryRun: true, restored: true };
  expect(await repairAndGo(restored, guard, dry)).toMatchObject(told);
  expect(await offset()).toBe(20_000);

  const removalHeld = "an operator said that the catalog was restored";
  const done = { adopted: [{ from: 20_000, to: 40_000 }], dryRun: false, removalHeld };
  expect(await repairAndGo(restored, guard, { ...wish, restored: true })).toMatchObject(done);
  expect(await offset()).toBe(40_000);
  expect(await guard.countSweep()).toBe(removalHeld);
  await repairAndGo(restored, guard, { ...wish, go: true });
  expect(await guard.countSweep()).toBeUndefined();
});

test("an upload whose writer does not let go is told of, and keeps no other from repair", async () => {
  const uploads = [await begin(500), await begin(500), await begin(500)];
  const busy = uploads[1];
  const taken: string[] = [];
  class BusyLeases extends Leases {
    override take(id: string): Promise<Lease> {
      taken.push(id);
      if (id !== busy?.id) return super.take(id);
      return Promise.reject(uploadError("upload_busy", { retryAfterSeconds: 1 }));
    }
  }
  const leases = new BusyLeases(engine);
  const { problems } = await repair({ ...held(), leases }, { dryRun: false });
  expect(problems).toMatchObject([{ upload: busy?.id }]);
  // Once each: who lacks nothing is not asked to let go again.
  expect(taken.sort()).toEqual(uploads.map(({ id }) => id).sort());
});

test("an upload that lacked only its completion at the backup is completed", async () => {
  const { id, offset } = await fill(await begin(30_000), 20_000);
  const backup = catalog.rows.copy();
  const body = givenBody([patternBytes({ seed: 8, start: offset, length: 10_000 })]);
  await append(engine, { id, offset, body, authorise: () => Promise.resolve() });
  const restored = restoredFrom(backup);
  const { adopted } = await repair(restored, { dryRun: false });
  expect(adopted).toMatchObject([{ upload: id, from: 20_000, to: 30_000 }]);
  expect((await restored.catalog.findUpload(id))?.state).toBe("complete");
});

/** 50,000 bytes, with a digest that is theirs or another's. */
async function appendProven(id: string, offset: number, isTheirs: boolean): Promise<unknown> {
  const bytes = patternBytes({ seed: 8, start: offset, length: 50_000 });
  const chunks = [0, 20_000, 40_000].map((start) => bytes.subarray(start, start + 20_000));
  const expected = createHash("sha1")
    .update(isTheirs ? bytes : "other")
    .digest();
  const digest = { algorithm: "sha1", expected: () => expected } as const;
  const body = givenBody(chunks);
  const request = { id, offset, body, digest, authorise: () => Promise.resolve() };
  return await append(engine, request).catch((error: unknown) => error);
}

test("bytes whose digest was refused are not taken in, and nobody removes them", async () => {
  const { id, blobId } = await begin(200_000);
  expect(await appendProven(id, 0, false)).toMatchObject({ code: "digest_mismatch" });
  expect(bucket.keys()).toHaveLength(2);
  const { adopted, unexplained, problems } = await repair(held(), { dryRun: false });
  expect({ adopted, problems }).toEqual({ adopted: [], problems: [] });
  expect(unexplained).toEqual(bucket.keys());
  await sweepAllLooks();
  expect(bucket.keys()).toHaveLength(2);
  expect((await catalog.findUpload(id))?.offset).toBe(0);
  expect(await catalog.listExtents(blobId)).toEqual([]);
});

test.for([
  { what: "proven", length: 200_000 },
  { what: "proven and the last of all", length: 50_000 },
])("what was acknowledged of a body that was $what is taken back", async ({ length }) => {
  const { id } = await begin(length);
  const backup = catalog.rows.copy();
  await appendProven(id, 0, true);
  const { adopted } = await repair(restoredFrom(backup), { dryRun: false });
  expect(adopted).toMatchObject([{ upload: id, from: 0, to: 50_000 }]);
});

test("of what was refused only what another request put counts", async () => {
  const { id } = await begin(200_000);
  const backup = catalog.rows.copy();
  await appendProven(id, 0, false);
  clock.pass(1_000);
  await appendProven(id, 0, true);
  clock.pass(1_000);
  await appendProven(id, 50_000, false);
  const { adopted } = await repair(restoredFrom(backup), { dryRun: false });
  expect(adopted).toMatchObject([{ upload: id, from: 0, to: 50_000 }]);
});

test("takes of nodes whose clocks disagree are told apart in the order of their leases", async () => {
  const { id } = await begin(200_000);
  const backup = catalog.rows.copy();
  const send = async (parts: EngineParts, offset: number, ending: BodyEnding): Promise<void> => {
    const pieces = [0, 20_000].map((from) =>
      patternBytes({ seed: 8, start: offset + from, length: 20_000 }),
    );
    const body = givenBody(pieces, { ending });
    const authorise = (): Promise<void> => Promise.resolve();
    await append(parts, { id, offset, body, authorise }).catch(() => undefined);
  };
  const ahead = engineOver(catalog, {
    blobs: engine.blobs,
    clock: new ManualClock(clock.now() + 5_000),
  });
  // What it put was never committed, as where its node dies.
  bucket.fateOf = (key) => (key.includes("/0-20000-") ? "late" : "lands");
  await send(ahead, 0, "cut");
  bucket.fateOf = () => "lands";
  await send(engine, 0, "clean");
  await send(engine, 40_000, "clean");
  bucket.landLate();
  const { adopted, unexplained } = await repair(restoredFrom(backup), { dryRun: false });
  expect(unexplained).toEqual([]);
  expect(adopted).toMatchObject([{ upload: id, from: 0, to: 80_000 }]);
});
