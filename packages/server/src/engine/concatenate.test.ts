import { createHash, randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { overBlobStore } from "../../../../test/fault/simulation/composition.ts";
import { givenBody } from "../../../../test/support/given-body.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { engineOver } from "../../../../test/support/memory-engine.ts";
import { patternBytes } from "../../../../test/support/seeded.ts";
import { limits } from "../base/limits.ts";
import type { Upload } from "../catalog/records.ts";
import { append } from "./append.ts";
import { cancel } from "./cancel.ts";
import { concatenate } from "./concatenate.ts";
import { createUpload } from "./create.ts";
import { findUpload } from "./look-up.ts";
import type { EngineParts } from "./parts.ts";
import { readBlob } from "./read.ts";
import { sweep } from "./sweep.ts";

const app = {
  id: "1001",
  lengthMax: 1e9,
  lifetimeMs: 86_400_000,
  contentPolicy: "off",
  roomBytesMax: undefined,
} as const;
const bytes = patternBytes({ seed: 8, length: 90_000 });
const [first, second] = [bytes.subarray(0, 50_000), bytes.subarray(50_000)];

let clock: ManualClock;
let engine: EngineParts;

beforeEach(() => {
  clock = new ManualClock();
  engine = engineOver(new MemoryCatalog(), { clock });
});

const words = () =>
  ({
    ...{ id: randomUUID(), app, userId: "42", name: "a.bin", type: "a/b" },
    ...{ protocol: "tus", creation: "" },
  }) as const;

async function begin(length: number): Promise<Upload> {
  return await createUpload(engine, { ...words(), length, completes: "at_length" });
}

async function fill({ id }: Upload, content: Uint8Array): Promise<Upload> {
  const authorise = () => Promise.resolve();
  return await append(engine, { id, offset: 0, body: givenBody([content]), authorise });
}

async function whole(content: Uint8Array): Promise<Upload> {
  return await fill(await begin(content.length), content);
}

async function contentOf({ blobId, offset }: Upload): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readBlob(engine, blobId, { from: 0, to: offset })) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("uploads are joined in the order given, one of them twice, at once", async () => {
  const [one, other] = [await whole(first), await whole(second)];
  const of = [one.id, other.id, one.id];
  const joined = await concatenate(engine, { ...words(), of });
  const length = first.length * 2 + second.length;
  expect(joined).toMatchObject({ state: "complete", offset: length, length });
  expect((await contentOf(joined)).equals(Buffer.concat([first, second, first]))).toBe(true);
});

/** What the blob store is asked for from here on. */
function countedStore(): { readonly opened: number; readonly readBytes: number } {
  const counted = { opened: 0, readBytes: 0 };
  const { blobs } = engine;
  engine = {
    ...engine,
    blobs: overBlobStore(blobs, {
      openAppender: (request) => {
        counted.opened += 1;
        return blobs.openAppender(request);
      },
      read: (extent, range, signal) => {
        counted.readBytes += range.to - range.from;
        return blobs.read(extent, range, signal);
      },
    }),
  };
  return counted;
}

test("not a byte is written or read to join uploads", async () => {
  const [one, other] = [await whole(first), await whole(second)];
  const counted = countedStore();
  const joined = await concatenate(engine, { ...words(), of: [one.id, other.id] });
  expect(joined.state).toBe("complete");
  expect(counted).toEqual({ opened: 0, readBytes: 0 });
});

test("all bytes are read, and still none is written, where a digest of the whole is to be judged", async () => {
  const [one, other] = [await whole(first), await whole(second)];
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const counted = countedStore();
  const joined = await concatenate(engine, { ...words(), sha256, of: [one.id, other.id] });
  expect(joined.state).toBe("complete");
  expect(counted).toEqual({ opened: 0, readBytes: bytes.length });
});

test("one that is made of unfinished uploads completes with the last of them", async () => {
  const [one, other] = [await whole(first), await begin(second.length)];
  const joined = await concatenate(engine, { ...words(), of: [one.id, other.id] });
  expect(joined).toMatchObject({ state: "open", offset: 0, length: undefined });
  await fill(other, second);
  const found = await findUpload(engine, joined.id, app.id);
  expect(found).toMatchObject({ state: "complete", length: bytes.length });
  expect((await contentOf(found)).equals(bytes)).toBe(true);
});

test("nothing can be appended to it", async () => {
  const joined = await concatenate(engine, { ...words(), of: [(await begin(1)).id] });
  await expect(fill(joined, first)).rejects.toMatchObject({ code: "not_appendable" });
});

test("it is cancelled once it is looked at when what it is made of is gone, or another app's", async () => {
  const foreign = await createUpload(engine, {
    ...words(),
    ...{ app: { ...app, id: "1002" }, length: 1, completes: "at_length" },
  });
  await fill(foreign, Uint8Array.of(1));
  const gone = await begin(1);
  const waiting = await concatenate(engine, { ...words(), of: [(await begin(1)).id, gone.id] });
  expect(waiting.state).toBe("open");
  await cancel(engine, gone.id);
  const late = await Promise.all(
    [foreign, gone].map(({ id }) => concatenate(engine, { ...words(), of: [id] })),
  );
  for (const { id } of [waiting, ...late]) {
    expect(await findUpload(engine, id, app.id)).toMatchObject({
      state: "cancelled",
      reason: "an upload that it is made of is gone",
    });
  }
});

test("it stays open while what it is made of is only due to expire", async () => {
  const one = await whole(first);
  const joined = await concatenate(engine, { ...words(), of: [one.id, (await begin(1)).id] });
  clock.pass(one.handleLifetimeMs);
  expect((await findUpload(engine, joined.id, app.id)).state).toBe("open");
  await sweep(engine, { dryRun: false });
  expect((await findUpload(engine, joined.id, app.id)).state).toBe("cancelled");
});

test("it is cancelled when the store has lost the bytes of what it is made of", async () => {
  const [one, other] = [await whole(first), await begin(second.length)];
  const joined = await concatenate(engine, { ...words(), of: [one.id, other.id] });
  const lost = await engine.catalog.listExtents(one.blobId);
  await fill(other, second);
  await engine.blobs.remove(lost.map(({ key }) => key));
  expect((await findUpload(engine, joined.id, app.id)).state).toBe("cancelled");
});

test("it is rejected when its parts turn out to be longer together than the app allows", async () => {
  const small = { ...app, lengthMax: 60_000 };
  const deferred = () =>
    createUpload(engine, { ...words(), app: small, length: undefined, completes: "when_told" });
  const [one, other] = [await deferred(), await deferred()];
  const of = [one.id, other.id];
  const joined = await concatenate(engine, { ...words(), app: small, of });
  for (const { id } of [one, other]) {
    const authorise = () => Promise.resolve();
    const request = { id, offset: 0, body: givenBody([first]), authorise } as const;
    await append(engine, { ...request, completes: "at_end" });
  }
  expect(await findUpload(engine, joined.id, app.id)).toMatchObject({
    state: "rejected",
    reason: "its parts have 100000 bytes together, and it can have 60000 at most",
  });
  expect(await engine.catalog.listExtents(joined.blobId)).toEqual([]);
});

test("what it is made of may end and be swept: its bytes stay until it ends itself", async () => {
  const one = await whole(first);
  clock.pass(30_000);
  const joined = await concatenate(engine, { ...words(), of: [one.id] });
  clock.pass(one.handleLifetimeMs - 30_000);
  expect(await sweep(engine, { dryRun: false })).toMatchObject({ expiredUploads: 1 });
  expect(await engine.catalog.listExtents(one.blobId)).toEqual([]);
  // The handle of the joined one would be over by then: only its bytes are looked at.
  const { blobId } = joined;
  const [extent] = await engine.catalog.listExtents(blobId);
  if (extent === undefined) throw new Error("it has no extent");
  expect(await engine.catalog.listDoomed(clock.now(), 10)).toEqual([]);
  expect((await contentOf(joined)).equals(first)).toBe(true);
  clock.pass(30_000);
  await sweep(engine, { dryRun: false });
  clock.pass(limits.doomedMs);
  expect(await sweep(engine, { dryRun: false })).toMatchObject({ removedKeys: 1 });
  expect(await engine.blobs.isWhole(extent)).toBe(false);
});
