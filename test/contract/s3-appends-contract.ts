import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../packages/server/src/base/clock.ts";
import { crc32 } from "../../packages/server/src/base/crc32.ts";
import { systemRandom } from "../../packages/server/src/base/random.ts";
import { S3BlobStore } from "../../packages/server/src/blobs/s3/s3-blob-store.ts";
import { parseS3Location } from "../../packages/server/src/blobs/s3/s3-location.ts";
import type { S3Profile } from "../../packages/server/src/blobs/s3/s3-profile.ts";
import { refuseUnequalParts } from "../support/equal-parts-rule.ts";
import { S3FaultProxy, type S3Request } from "../support/s3-fault-proxy.ts";
import type { S3Gateway } from "../support/s3-gateway.ts";
import { S3InTests } from "../support/s3-in-tests.ts";
import { epochOf, KeptBlob } from "./kept-blob.ts";

const MiB = 1024 * 1024;
/** A put of the extent that begins at this offset. */
function isPutOf({ method, path }: S3Request, start: number): boolean {
  return method === "PUT" && new RegExp(`/${start}-\\d+-[0-9a-f]{8}\\?`).test(path);
}

/** Byte by byte, as an assertion of its own compares them, takes seconds of a processor. */
function expectSame(found: Buffer, wanted: Uint8Array): void {
  expect(found.equals(wanted), "the bytes are those that were sent").toBe(true);
}

export interface S3OfAppends {
  readonly gateway: S3Gateway;
  /** What the self-test finds out about it. */
  readonly profile: S3Profile;
}

/** What appends to every S3 store do, whatever goes wrong on the way to it. */
export function describeS3Appends(name: string, s3: S3OfAppends): void {
  describe(name, () => {
    describeAppends(s3);
  });
}

function describeAppends({ gateway, profile }: S3OfAppends): void {
  let place: S3InTests;
  let proxy: S3FaultProxy;
  let store: S3BlobStore;
  let blob: KeptBlob;

  beforeEach(async () => {
    place = new S3InTests(gateway);
    proxy = await S3FaultProxy.start(gateway.address);
    store = await place.openStore({ endpoint: proxy.endpoint, partMib: 1 });
    blob = new KeptBlob();
  });

  afterEach(async () => {
    await store.close();
    await proxy.close();
    await place.dispose();
  });

  test("whole parts are reported while the rest still waits, and then everything", async () => {
    const bytes = randomBytes(2.5 * MiB);
    const appender = await blob.open(store);
    await appender.write([bytes]);
    blob.keep(await appender.checkpoint("whole_parts"));
    expect(blob.extents.map(({ length }) => length)).toEqual([MiB, MiB]);
    expectSame(await blob.read(store), bytes.subarray(0, 2 * MiB));
    blob.keep(await appender.checkpoint("everything"));
    await appender.close();
    expectSame(await blob.read(store), bytes);
  });

  test("chunks may be used again once a write has resolved", async () => {
    const bytes = randomBytes(1.5 * MiB);
    const chunk = Buffer.alloc(64 * 1024);
    const appender = await blob.open(store);
    for (let from = 0; from < bytes.length; from += chunk.length) {
      bytes.copy(chunk, 0, from);
      await appender.write([chunk]);
      chunk.fill(0xee);
    }
    blob.keep(await appender.checkpoint("everything"));
    await appender.close();
    expectSame(await blob.read(store), bytes);
  });

  test("a short tail stays with the catalog and costs no object", async () => {
    const bytes = randomBytes(MiB + 5_000);
    await blob.append(store, bytes);
    expect(blob.extents.map(({ inline }) => inline?.length)).toEqual([undefined, 5_000]);
    expect(await place.keys()).toEqual(blob.keys);
    expectSame(await blob.read(store), bytes);
  });

  test("appends of any length leave few extents, and every byte in place", async () => {
    const bytes = randomBytes(3 * MiB);
    const lengths = [100, 10_000, 10_000, 20_000, 120_000, 7, 300_000, 16_384, 50_000];
    for (let index = 0; blob.offset < bytes.length; index += 1) {
      const to = blob.offset + (lengths[index % lengths.length] ?? 1);
      await blob.append(store, bytes.subarray(blob.offset, to));
      expect(blob.extents.length).toBeLessThanOrEqual(blob.offset / MiB + 64);
    }
    expectSame(await blob.read(store), bytes);
    expect(blob.doomed.length).toBeGreaterThan(0);
    // What is in the bucket is what the extents name, and what a merge left behind.
    expect((await place.keys()).sort()).toEqual([...blob.keys, ...blob.doomed].sort());
  });

  test("a merge that reads other bytes than were stored is not put", async () => {
    await blob.append(store, randomBytes(300_000));
    const [key = ""] = blob.keys;
    await place.replace(key, randomBytes(300_000));
    const appender = await blob.open(store);
    await appender.write([randomBytes(MiB)]);
    await expect(appender.checkpoint("everything")).rejects.toMatchObject({
      code: "upload_damaged",
    });
    await appender.close();
    const keys = await place.keys();
    expect(keys.filter((one) => one.includes(`/0-${MiB}-`))).toEqual([]);
  });

  test("after a failed part only what is before it is told, once, and then the failure", async () => {
    const bytes = randomBytes(4 * MiB);
    proxy.plan = (request) => (isPutOf(request, 2 * MiB) ? "refuse" : undefined);
    const appender = await blob.open(store);
    await appender.write([bytes]).catch(() => undefined);
    blob.keep(await appender.checkpoint("everything"));
    expect(blob.offset).toBe(2 * MiB);
    for (const scope of ["everything", "whole_parts"] as const) {
      await expect(appender.checkpoint(scope)).rejects.toMatchObject({ code: "storage_failed" });
    }
    await expect(appender.write([bytes])).rejects.toMatchObject({ code: "storage_failed" });
    await appender.close();
    expectSame(await blob.read(store), bytes.subarray(0, 2 * MiB));
    // The part behind it was stored, and nobody was told.
    expect((await place.keys()).some((key) => key.includes(`/${3 * MiB}-`))).toBe(true);
    proxy.plan = () => undefined;
    await blob.append(store, bytes.subarray(2 * MiB));
    expectSame(await blob.read(store), bytes);
  });

  test("a put that was refused, or whose answer was lost, is tried again", async () => {
    const bytes = randomBytes(3 * MiB);
    const faults = ["refuse", "lose"] as const;
    let puts = 0;
    proxy.plan = ({ method }) => (method === "PUT" ? faults[puts++] : undefined);
    await blob.append(store, bytes);
    expect(puts).toBe(5);
    expectSame(await blob.read(store), bytes);
  });

  test("a read that breaks off goes on where it broke", async () => {
    const bytes = randomBytes(MiB);
    await blob.append(store, bytes);
    let gets = 0;
    proxy.plan = ({ method }) => (method === "GET" && gets++ < 2 ? "cut" : undefined);
    expectSame(await blob.read(store), bytes);
    expect(gets).toBe(3);
  });

  test("a missing object is told apart from a store that fails", async () => {
    await blob.append(store, randomBytes(20_000));
    const [extent] = blob.extents;
    if (extent === undefined) throw new Error("an extent was expected");
    const read = async (): Promise<void> => {
      for await (const chunk of store.read(extent, { from: 0, to: 10 }))
        expect(chunk).toBeDefined();
    };
    await store.remove([extent.key]);
    await expect(read()).rejects.toMatchObject({ name: "BytesMissingError", key: extent.key });
    proxy.plan = () => "refuse";
    await expect(read()).rejects.not.toMatchObject({ name: "BytesMissingError" });
    const opening = blob.open(store);
    await expect(opening).rejects.toMatchObject({ code: "storage_failed" });
  });

  test("a bucket that is not there is a failure, not a loss of every object in it", async () => {
    await blob.append(store, randomBytes(20_000));
    const location = parseS3Location(gateway.location({ prefix: place.prefix }));
    const misled = await S3BlobStore.open({
      location: { ...location, bucket: "no-such-bucket", createBucket: false },
      deploymentId: place.deploymentId,
      clock: systemClock,
      random: systemRandom,
    });
    await expect(blob.open(misled)).rejects.toMatchObject({ code: "storage_failed" });
    const [extent] = blob.extents;
    if (extent === undefined) throw new Error("an extent was expected");
    await expect(misled.isWhole(extent)).rejects.toMatchObject({ name: "NoSuchBucket" });
    await expect(misled.remove(blob.keys)).rejects.toThrow();
    await misled.close();
  });

  test("an epoch lists the keys that were made under it, told or not", async () => {
    const epoch = epochOf(blob);
    const appender = await store.openAppender({ epoch, extents: [], offset: 0 });
    await appender.write([randomBytes(2 * MiB)]);
    blob.keep(await appender.checkpoint("whole_parts"));
    await appender.write([randomBytes(MiB)]);
    await appender.close();
    const keys: string[] = [];
    for await (const key of store.listKeys(epoch)) keys.push(key);
    expect(keys).toHaveLength(3);
    expect(keys).toEqual(expect.arrayContaining(blob.keys));
    for await (const key of store.listKeys(epochOf(blob))) throw new Error(`${key} is not its own`);
  });

  test("a key tells whether its bytes were proven when it was put", async () => {
    const epoch = epochOf(blob);
    let isUnproven = true;
    const request = { epoch, extents: [], offset: 0, isUnproven: () => isUnproven };
    const appender = await store.openAppender(request);
    await appender.write([randomBytes(1.5 * MiB)]);
    isUnproven = false;
    blob.keep(await appender.checkpoint("everything"));
    await appender.close();
    const told = new Map<number, boolean>();
    for await (const key of store.listBlobKeys(blob.blobId)) told.set(key.start, key.isUnproven);
    expect([...told].sort(([one], [other]) => one - other)).toEqual([
      [0, true],
      [MiB, false],
    ]);
    expect(await blob.read(store)).toHaveLength(1.5 * MiB);
  });

  describe("assembly", () => {
    const long = 6 * MiB;

    async function storedInPieces(lengths: readonly number[]): Promise<Buffer> {
      const bytes = randomBytes(lengths.reduce((sum, length) => sum + length, 0));
      let start = 0;
      for (const length of lengths) {
        const run = bytes.subarray(start, start + length);
        const key = `${place.prefix}/pieces/${start}`;
        const inline = length <= 1_000 ? run : undefined;
        if (inline === undefined) await place.replace(key, run);
        blob.extents.push({
          key: inline === undefined ? key : "",
          start,
          length,
          crc32: crc32(run),
          inline,
        });
        start += length;
      }
      blob.offset = bytes.length;
      return bytes;
    }

    const shapes: readonly { readonly lengths: readonly number[] }[] = [
      { lengths: [10] },
      { lengths: [20_000, 500, 30_000] },
      { lengths: [long, long, 700] },
      { lengths: [700, long, 2 * MiB, 3 * MiB, long, 10] },
      { lengths: [30_000, 5 * MiB, long] },
    ];

    test.for(shapes)("makes one object of $lengths bytes", async ({ lengths }) => {
      const bytes = await storedInPieces(lengths);
      const epoch = epochOf(blob);
      const extent = await store.assemble({ epoch, extents: blob.extents });
      expect(extent).toMatchObject({ start: 0, length: bytes.length, crc32: crc32(bytes) });
      blob.extents = [extent];
      expectSame(await blob.read(store), bytes);
      for await (const key of store.listKeys(epoch)) expect(key).toBe(extent.key);
    });

    test("makes one object where the store copies no parts", async () => {
      proxy.plan = ({ path }) =>
        path.includes("x-id=UploadPartCopy") ? "unimplemented" : undefined;
      expect(await store.selfTest()).toMatchObject({ partCopy: false });
      proxy.requests.length = 0;
      const bytes = await storedInPieces([2 * long, 700, 4 * long]);
      const extent = await store.assemble({ epoch: epochOf(blob), extents: blob.extents });
      expect(proxy.requests.some(({ path }) => path.includes("UploadPartCopy"))).toBe(false);
      blob.extents = [extent];
      expectSame(await blob.read(store), bytes);
    });

    test("makes one object where every part but the last must be as long as the others", async () => {
      const refused = refuseUnequalParts(proxy, (source) => {
        return blob.extents.find(({ key }) => source.endsWith(`/${key}`))?.length;
      });
      for (const turn of [1, 2]) {
        const bytes = await storedInPieces([3 * long, 700, 2 * MiB, 4 * long, 10]);
        const extent = await store.assemble({ epoch: epochOf(blob), extents: blob.extents });
        // Once it was met it is kept in mind.
        expect(refused, `turn ${turn}`).toEqual([true, false, false].slice(0, turn + 1));
        blob.extents = [extent];
        expectSame(await blob.read(store), bytes);
        blob = new KeptBlob();
      }
      expect(proxy.requests.some(({ path }) => path.includes("x-id=UploadPartCopy"))).toBe(true);
    });

    test("ends by an error when an extent is not what it says, and leaves nothing begun", async () => {
      await storedInPieces([long, 20_000, long]);
      const [, , last] = blob.extents;
      await place.replace(last?.key ?? "", randomBytes(long - 1));
      const epoch = epochOf(blob);
      await expect(store.assemble({ epoch, extents: blob.extents })).rejects.toThrow();
      await store.abandon(epoch);
      for await (const key of store.listKeys(epoch)) throw new Error(`${key} is left`);
    });

    test("damage of the same length is seen by reading, and no object is handed out", async () => {
      await storedInPieces([long, 20_000]);
      const [, last] = blob.extents;
      await place.replace(last?.key ?? "", randomBytes(20_000));
      const assembling = store.assemble({ epoch: epochOf(blob), extents: blob.extents });
      await expect(assembling).rejects.toThrow("another CRC-32");
    });

    test("survives an answer to its completion that was lost", async () => {
      const bytes = await storedInPieces([long, long]);
      let completions = 0;
      proxy.plan = ({ method, path }) =>
        method === "POST" && path.includes("uploadId=") && completions++ === 0 ? "lose" : undefined;
      const extent = await store.assemble({ epoch: epochOf(blob), extents: blob.extents });
      expect(completions).toBeGreaterThan(0);
      blob.extents = [extent];
      expectSame(await blob.read(store), bytes);
    });

    test("takes an error in a 200 for an error", async () => {
      await storedInPieces([long, long]);
      proxy.plan = ({ method, path }) =>
        method === "POST" && path.includes("uploadId=") ? "false-success" : undefined;
      const epoch = epochOf(blob);
      await expect(store.assemble({ epoch, extents: blob.extents })).rejects.toThrow();
      // What was begun is found by its epoch, and ended.
      await store.abandon(epoch);
      proxy.requests.length = 0;
      await store.abandon(epoch);
      expect(proxy.requests.map(({ method }) => method)).toEqual(["GET"]);
    });

    test("ends when its signal says so", async () => {
      await storedInPieces([long, long]);
      const stop = new AbortController();
      proxy.plan = ({ path }) => {
        if (path.includes("partNumber=")) stop.abort();
        return undefined;
      };
      const request = { epoch: epochOf(blob), extents: blob.extents, signal: stop.signal };
      await expect(store.assemble(request)).rejects.toThrow();
    });
  });

  test("closing does not wait for ever for a put that is never answered", async () => {
    const hurried = await place.openStore({
      endpoint: proxy.endpoint,
      partMib: 1,
      clock: { ...systemClock, after: (ms, task) => systemClock.after(ms / 50, task) },
    });
    proxy.plan = ({ method }) => (method === "PUT" ? "stall" : undefined);
    const appender = await blob.open(hurried);
    await appender.write([randomBytes(2 * MiB)]);
    const checkpoint = appender.checkpoint("everything");
    const refused = expect(checkpoint).rejects.toMatchObject({ code: "storage_failed" });
    await appender.close();
    await refused;
    await hurried.close();
  });

  test("a signed URL gives the bytes, described as wished", async () => {
    const bytes = randomBytes(30_000);
    await blob.append(store, bytes);
    const [extent] = blob.extents;
    if (extent === undefined) throw new Error("an extent was expected");
    const contentDisposition = `attachment; filename="a b.bin"`;
    const asked = { extent, contentType: "image/png", contentDisposition, lifetimeSeconds: 60 };
    const answer = await fetch(await store.signUrl(asked));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(answer.headers.get("content-disposition")).toBe(contentDisposition);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes);
  });

  test("the self-test says what the gateway does, and leaves nothing behind", async () => {
    expect(await store.selfTest()).toEqual(profile);
    expect(await place.keys()).toEqual([]);
  });

  test("small objects beside the uploads are written, read, and missed", async () => {
    expect(await store.readObject("deployment.json")).toBeUndefined();
    await store.writeObject("deployment.json", `{"id":"1"}`);
    await store.writeObject("deployment.json", `{"id":"2"}`);
    expect(await store.readObject("deployment.json")).toBe(`{"id":"2"}`);
    expect(await place.keys()).toEqual([`${place.prefix}/deployment.json`]);
  });
}
