import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { combineCrc32 } from "../../packages/server/src/base/crc32.ts";
import { limits } from "../../packages/server/src/base/limits.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { TooManyExtentsError, type BlobStore } from "../../packages/server/src/blobs/blob-store.ts";
import type { PublishedFile, Upload } from "../../packages/server/src/catalog/records.ts";
import { append } from "../../packages/server/src/engine/append.ts";
import { assembleNext, requestAssembly } from "../../packages/server/src/engine/assemble.ts";
import { createUpload } from "../../packages/server/src/engine/create.ts";
import type { EngineParts } from "../../packages/server/src/engine/parts.ts";
import { downloadUrl, readBlob } from "../../packages/server/src/engine/read.ts";
import { sweep } from "../../packages/server/src/engine/sweep.ts";
import { verify } from "../../packages/server/src/engine/verify.ts";
import { completion, makeFile, makeUpload } from "../contract/catalog-samples.ts";
import { givenBody } from "../support/given-body.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryBlobStore } from "../support/memory-blob-store.ts";
import { MemoryBucket } from "../support/memory-bucket.ts";
import { MemoryCatalog } from "../support/memory-catalog.ts";
import { engineOf } from "./many-keys/engine-of.ts";
import { overBlobStore } from "./simulation/composition.ts";

const never = new AbortController().signal;
const app = {
  id: "1001",
  lengthMax: 1e12,
  lifetimeMs: 86_400_000,
  contentPolicy: "off",
  roomBytesMax: undefined,
} as const;

interface Place {
  readonly bucket: MemoryBucket;
  readonly catalog: MemoryCatalog;
  readonly clock: ManualClock;
  readonly engine: EngineParts;
  readonly errors: string[];
}

function openPlace(
  changes: Partial<BlobStore> = {},
  options: Pick<Partial<EngineParts>, "assembly" | "redirectDownloads"> = {},
): Place {
  const [bucket, catalog, clock] = [new MemoryBucket(), new MemoryCatalog(), new ManualClock()];
  const store = new MemoryBlobStore({ bucket, partBytes: 10_000, mergeAt: 100 });
  const blobs = overBlobStore(store, changes);
  const errors: string[] = [];
  const silent = (): undefined => undefined;
  const log = {
    ...{ debug: silent, info: silent, warn: silent, fatal: silent },
    error: (_: object, message: string) => errors.push(message),
  };
  const engine = engineOf({ catalog, blobs, clock, random: systemRandom, log, ...options });
  return { bucket, catalog, clock, engine, errors };
}

/** A complete upload of several extents, published. */
async function publishedFile(
  { catalog, engine, clock }: Place,
  pieces: readonly Uint8Array[],
): Promise<{ readonly upload: Upload; readonly file: PublishedFile; readonly bytes: Buffer }> {
  const bytes = Buffer.concat(pieces);
  const upload = makeUpload({ length: bytes.length, expiresAt: limits.offsetMax });
  await catalog.insertUpload(upload);
  await catalog.takeLease(upload.id, "fence");
  const epoch = { fence: "fence", blobId: upload.blobId, base: 0, openedAt: clock.now() };
  await catalog.openEpoch({ ...epoch, uploadId: upload.id, looks: 0 });
  const appender = await engine.blobs.openAppender({ epoch, extents: [], offset: 0 });
  let [offset, crc32] = [0, 0];
  for (const piece of pieces) {
    await appender.write([piece]);
    const { to, extents, replaced } = await appender.checkpoint("everything");
    for (const extent of extents) crc32 = combineCrc32(crc32, extent.crc32, extent.length);
    const ending = to === upload.length ? ({ state: "complete", completion } as const) : undefined;
    await catalog.advance({
      ...{ id: upload.id, blobId: upload.blobId, fence: "fence", from: offset, to, crc32 },
      ...{ extents, replaced, ending, at: clock.now(), expiresAt: upload.expiresAt },
    });
    offset = to;
  }
  await appender.close();
  await catalog.releaseLease(upload.id, "fence");
  const file = makeFile(upload, { size: bytes.length, crc32 });
  await catalog.insertFile(file);
  await requestAssembly(engine, upload.blobId);
  return { upload, file, bytes };
}

async function read({ engine }: Place, blobId: string, to: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readBlob(engine, blobId, { from: 0, to })) pieces.push(piece);
  return Buffer.concat(pieces);
}

const threePieces = [1_000_000, 70_000, 5].map((length) => randomBytes(length));

describe("making one extent of several", () => {
  test("the bytes stay the same, and the old keys go when their time is over", async () => {
    const place = openPlace();
    const { upload, bytes } = await publishedFile(place, threePieces);
    expect(await assembleNext(place.engine, never)).toBe(true);
    expect(await assembleNext(place.engine, never)).toBe(false);
    expect(await place.catalog.listExtents(upload.blobId)).toHaveLength(1);
    expect(await read(place, upload.blobId, bytes.length)).toEqual(bytes);
    expect(place.bucket.keys()).toHaveLength(4);
    place.clock.pass(limits.doomedMs);
    await sweep(place.engine, { dryRun: false });
    expect(place.bucket.keys()).toHaveLength(1);
    expect(await read(place, upload.blobId, bytes.length)).toEqual(bytes);
  });

  test("a blob of one extent is not asked to become one", async () => {
    const place = openPlace();
    await publishedFile(place, [randomBytes(100)]);
    expect(await assembleNext(place.engine, never)).toBe(false);
  });

  test("what differs from the blob is never put in its place, and it is given up at last", async () => {
    let tries = 0;
    const place = openPlace({
      assemble: ({ epoch, extents }) => {
        tries += 1;
        const length = extents.reduce((sum, extent) => sum + extent.length, 0);
        const key = `${epoch.blobId}/wrong-${tries}`;
        place.bucket.put(key, Buffer.alloc(length));
        return Promise.resolve({ key, start: 0, length, crc32: 1, inline: undefined });
      },
    });
    const { upload, bytes } = await publishedFile(place, threePieces);
    for (let minutes = 0; minutes < 24 * 60; minutes += 1) {
      await assembleNext(place.engine, never);
      place.clock.pass(60_000);
    }
    expect(tries).toBe(limits.assemblyTriesMax);
    expect(place.errors).toEqual([expect.stringContaining("given up")]);
    expect(await place.catalog.listExtents(upload.blobId)).toHaveLength(3);
    expect(await read(place, upload.blobId, bytes.length)).toEqual(bytes);
  });

  test("what the store cannot put together is tried once, and read from its parts", async () => {
    let tries = 0;
    const place = openPlace({
      assemble: () => {
        tries += 1;
        return Promise.reject(new TooManyExtentsError("too many"));
      },
    });
    const { upload, bytes } = await publishedFile(place, threePieces);
    expect(await assembleNext(place.engine, never)).toBe(true);
    place.clock.pass(limits.assemblyMsMax);
    expect(await assembleNext(place.engine, never)).toBe(false);
    expect(tries).toBe(1);
    expect(place.errors).toEqual([]);
    expect(await read(place, upload.blobId, bytes.length)).toEqual(bytes);
  });

  test("a process that died of it is followed by another, and what it made is swept", async () => {
    let dies = true;
    const place = openPlace({
      assemble: async (request) => {
        const made = await store.assemble(request);
        if (!dies) return made;
        dies = false;
        // As after kill -9: nothing of what would follow ever happens.
        return await new Promise<never>(() => undefined);
      },
    });
    const store = new MemoryBlobStore({ bucket: place.bucket, partBytes: 10_000, mergeAt: 100 });
    const { upload, bytes } = await publishedFile(place, threePieces);
    void assembleNext(place.engine, never);
    await expect.poll(() => place.bucket.keys()).toHaveLength(4);
    expect(await assembleNext(place.engine, never)).toBe(false);
    place.clock.pass(limits.assemblyMsMax);
    expect(await assembleNext(place.engine, never)).toBe(true);
    expect(place.bucket.keys()).toHaveLength(5);
    for (const waitMs of limits.orphanLooksMs) {
      place.clock.pass(waitMs);
      await sweep(place.engine, { dryRun: false });
    }
    const [extent] = await place.catalog.listExtents(upload.blobId);
    expect(place.bucket.keys()).toEqual([extent?.key]);
    expect(await read(place, upload.blobId, bytes.length)).toEqual(bytes);
  });

  test("a process that died once it was done leaves no epoch open for ever", async () => {
    const place = openPlace();
    const { upload } = await publishedFile(place, threePieces);
    // As after kill -9 between the commit and the closing.
    place.catalog.closeEpoch = () => new Promise<never>(() => undefined);
    void assembleNext(place.engine, never);
    await expect.poll(() => place.catalog.listExtents(upload.blobId)).toHaveLength(1);
    const catalog = new MemoryCatalog(place.catalog.rows);
    const engine = { ...place.engine, catalog };
    for (const waitMs of [0, ...limits.orphanLooksMs]) {
      place.clock.pass(waitMs);
      await sweep(engine, { dryRun: false });
    }
    expect(await catalog.listEpochs(upload.blobId)).toEqual([]);
  });

  test("of a blob that was removed meanwhile nothing is left", async () => {
    const place = openPlace();
    const { upload, file } = await publishedFile(place, threePieces);
    await place.catalog.removeFile(file.id, place.clock.now());
    expect(await assembleNext(place.engine, never)).toBe(true);
    expect(await assembleNext(place.engine, never)).toBe(false);
    for (const waitMs of [0, ...limits.orphanLooksMs]) {
      place.clock.pass(waitMs);
      await sweep(place.engine, { dryRun: false });
    }
    expect(place.bucket.keys()).toEqual([]);
    expect(await place.catalog.listEpochs(upload.blobId)).toEqual([]);
  });

  test.for([
    ["background", 1],
    ["on-publish", 3],
  ] as const)(
    "a completed upload that nobody published becomes, %s, %d extents",
    async ([assembly, extents]) => {
      const place = openPlace({}, { assembly });
      const bytes = Buffer.concat(threePieces);
      const upload = await createUpload(place.engine, {
        ...{ id: randomUUID(), userId: "42", creation: "{}", app },
        ...{ protocol: "graph", completes: "at_length" },
        ...{ name: "a.bin", type: "application/octet-stream", length: bytes.length },
      });
      for (const piece of threePieces) {
        const offset = (await place.catalog.findUpload(upload.id))?.offset ?? 0;
        const body = givenBody([piece]);
        await append(place.engine, {
          id: upload.id,
          offset,
          body,
          authorise: () => Promise.resolve(),
        });
      }
      expect(await place.catalog.findUpload(upload.id)).toMatchObject({ state: "complete" });
      expect(await assembleNext(place.engine, never)).toBe(assembly === "background");
      expect(await place.catalog.listExtents(upload.blobId)).toHaveLength(extents);
      expect(await read(place, upload.blobId, bytes.length)).toEqual(bytes);
    },
  );

  test("where the policy is never, nothing is made one", async () => {
    const place = openPlace({}, { assembly: "never" });
    const { upload } = await publishedFile(place, threePieces);
    expect(await assembleNext(place.engine, never)).toBe(false);
    expect(await place.catalog.listExtents(upload.blobId)).toHaveLength(3);
  });
});

describe("a reader whose keys are removed under it", () => {
  test("goes on at the same place in the extents that took theirs", async () => {
    const place = openPlace();
    const { upload, bytes } = await publishedFile(place, threePieces);
    const pieces: Uint8Array[] = [];
    for await (const piece of readBlob(place.engine, upload.blobId, {
      from: 10,
      to: bytes.length,
    })) {
      if (pieces.length === 0) {
        await assembleNext(place.engine, never);
        place.clock.pass(limits.doomedMs);
        await sweep(place.engine, { dryRun: false });
        expect(place.bucket.keys()).toHaveLength(1);
      }
      pieces.push(piece);
    }
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).equals(bytes.subarray(10))).toBe(true);
  });

  test("fails when nothing took their place, and when the blob is gone", async () => {
    const place = openPlace();
    const { upload, file, bytes } = await publishedFile(place, threePieces);
    const [first] = place.bucket.keys();
    place.bucket.objects.delete(first ?? "");
    await expect(read(place, upload.blobId, bytes.length)).rejects.toThrow("there are no bytes");
    expect((await verify(place.engine)).damaged).toHaveLength(1);
    await place.catalog.removeFile(file.id, place.clock.now());
    await expect(read(place, upload.blobId, bytes.length)).rejects.toThrow("the blob ends at 0");
  });

  test("verifies the extents that took their place", async () => {
    let swept = false;
    const place = openPlace({
      read: async function* (extent, range, signal) {
        if (!swept) {
          swept = true;
          await assembleNext(place.engine, never);
          place.clock.pass(limits.doomedMs);
          await sweep(place.engine, { dryRun: false });
        }
        yield* store.read(extent, range, signal);
      },
    });
    const store = new MemoryBlobStore({ bucket: place.bucket, partBytes: 10_000, mergeAt: 100 });
    const { bytes } = await publishedFile(place, threePieces);
    expect(await verify(place.engine)).toEqual({ blobs: 1, bytes: bytes.length, damaged: [] });
    expect(swept).toBe(true);
  });
});

describe("a download by the store's own URL", () => {
  const headers = { contentType: "video/mp4", contentDisposition: "inline" };

  test("is given for one plain extent, when it is switched on", async () => {
    const place = openPlace({}, { redirectDownloads: true });
    const { file } = await publishedFile(place, threePieces);
    expect(await downloadUrl(place.engine, file, headers)).toBeUndefined();
    await assembleNext(place.engine, never);
    const url = new URL((await downloadUrl(place.engine, file, headers)) ?? "");
    const [extent] = await place.catalog.listExtents(file.blobId);
    expect(url.pathname).toBe(`/${extent?.key}`);
    expect(url.searchParams.get("contentType")).toBe("video/mp4");
    expect(Number(url.searchParams.get("lifetimeSeconds")) * 1_000).toBeLessThan(limits.doomedMs);
    const off = { ...place.engine, redirectDownloads: false };
    expect(await downloadUrl(off, file, headers)).toBeUndefined();
  });
});
