import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { calmVolume } from "../../../../test/fault/simulation/calm-volume.ts";
import { EngineUploads } from "../../../../test/support/engine-uploads.ts";
import { eventually, within } from "../../../../test/support/eventually.ts";
import { givenBody } from "../../../../test/support/given-body.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { diskStoreOver, engineOver } from "../../../../test/support/memory-engine.ts";
import { patternBytes } from "../../../../test/support/seeded.ts";
import type { Body, BodyBatch } from "../base/body.ts";
import { CatalogFullError } from "../catalog/catalog.ts";
import type { Upload } from "../catalog/records.ts";
import type { CreateRequest } from "./create.ts";
import { Leases } from "./lease.ts";
import { findSettled, findUpload } from "./look-up.ts";

const bytes = patternBytes({ seed: 7, length: 100_000 });
const [front, back] = [bytes.subarray(0, 60_000), bytes.subarray(60_000)];

let uploads: EngineUploads;

beforeEach(() => {
  uploads = new EngineUploads();
});

describe("a length that comes later", () => {
  test("without one nothing completes, and with one reaching it does", async () => {
    const upload = await uploads.create({ length: undefined });
    const open = await uploads.send(upload, 0, { body: givenBody([front]) });
    expect(open).toMatchObject({ state: "open", offset: front.length, length: undefined });
    const body = givenBody([back]);
    const whole = await uploads.send(upload, front.length, { body, length: bytes.length });
    expect(whole).toMatchObject({ state: "complete", length: bytes.length });
    expect((await uploads.contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("an empty append can bring it, and completes what is all there", async () => {
    const upload = await uploads.create({ length: undefined });
    await uploads.send(upload, 0, { body: givenBody([front]) });
    const words = { body: givenBody([]), length: front.length };
    expect(await uploads.send(upload, front.length, words)).toMatchObject({ state: "complete" });
    expect(await uploads.stored(upload)).toMatchObject({ state: "complete", length: front.length });
  });

  test("it outlives a request that is cut, and another one is refused", async () => {
    const upload = await uploads.create({ length: undefined });
    const body = givenBody([front], { ending: "cut" });
    const cut = uploads.send(upload, 0, { body, length: bytes.length });
    await expect(cut).rejects.toMatchObject({ code: "body_cut" });
    expect(await uploads.stored(upload)).toMatchObject({
      length: bytes.length,
      offset: front.length,
    });
    const other = uploads.send(upload, front.length, {
      body: givenBody([]),
      length: bytes.length - 1,
    });
    await expect(other).rejects.toMatchObject({ code: "length_inconsistent" });
  });

  test("more than the app takes is refused, declared or sent", async () => {
    const upload = await uploads.create({ length: undefined });
    const declared = uploads.send(upload, 0, { body: givenBody([]), length: 200_001 });
    await expect(declared).rejects.toMatchObject({ code: "length_exceeded" });
    const chunked = givenBody([bytes, bytes, bytes], { chunked: true });
    await expect(uploads.send(upload, 0, { body: chunked })).rejects.toMatchObject({
      code: "length_exceeded",
    });
    expect(await uploads.stored(upload)).toMatchObject({ state: "open", offset: 199_999 });
  });
});

describe("completion that is told", () => {
  test("reaching the length leaves it open until an empty append tells", async () => {
    const upload = await uploads.create({ completes: "when_told" });
    const body = givenBody([front, back]);
    const full = await uploads.send(upload, 0, { body, completes: "as_created" });
    expect(full).toMatchObject({ state: "open", offset: bytes.length });
    const told = { body: givenBody([]), completes: "at_end" } as const;
    const whole = await uploads.send(upload, bytes.length, told);
    expect(whole.state).toBe("complete");
    expect((await uploads.contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("an upload that has all its bytes takes no more, whatever is announced of them", async () => {
    const upload = await uploads.create({ completes: "when_told" });
    await uploads.send(upload, 0, { body: givenBody([bytes]), completes: "as_created" });
    for (const chunked of [false, true]) {
      const body = givenBody([front], { chunked });
      const more = uploads.send(upload, bytes.length, { body, completes: "as_created" });
      await expect(more).rejects.toMatchObject({ code: "length_exceeded" });
      expect(await uploads.stored(upload)).toMatchObject({ state: "open", offset: bytes.length });
    }
  });

  test.for([false, true])("a body's end can be the upload's (chunked: %s)", async (chunked) => {
    const upload = await uploads.create({ completes: "when_told", length: undefined });
    const body = givenBody([front, back], { chunked });
    const whole = await uploads.send(upload, 0, { body, completes: "at_end" });
    expect(whole).toMatchObject({ state: "complete", length: bytes.length });
    expect(await uploads.stored(upload)).toMatchObject({ state: "complete", length: bytes.length });
    expect((await uploads.contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("the length is committed with the end, also when a commit was under way then", async () => {
    const upload = await uploads.create({ completes: "when_told", length: undefined });
    const advance = uploads.catalog.advance.bind(uploads.catalog);
    uploads.catalog.advance = async (change) => {
      await sleep(50);
      return await advance(change);
    };
    const body = givenBody([front, back], { chunked: true });
    const waiting = async (): Promise<BodyBatch> => {
      await sleep(5);
      const batch = await body.next();
      // So long that what came is to be made durable at once.
      return batch.kind === "bytes" ? { ...batch, waitedMs: 3_600_000 } : batch;
    };
    const asked = { body: { ...body, next: waiting }, completes: "at_end" } as const;
    const whole = await uploads.send(upload, 0, asked);
    expect(whole).toMatchObject({ state: "complete", length: bytes.length });
    expect(await uploads.stored(upload)).toMatchObject({ state: "complete", length: bytes.length });
  });

  test("a body that is cut tells nothing", async () => {
    const upload = await uploads.create({ completes: "when_told", length: undefined });
    const body = givenBody([front], { ending: "cut", chunked: true });
    const cut = uploads.send(upload, 0, { body, completes: "at_end" });
    await expect(cut).rejects.toMatchObject({ code: "body_cut" });
    expect(await uploads.stored(upload)).toMatchObject({ state: "open", offset: front.length });
  });

  test("an end before the known length completes nothing and keeps what came", async () => {
    const upload = await uploads.create({ completes: "when_told" });
    const early = uploads.send(upload, 0, { body: givenBody([front]), completes: "at_end" });
    await expect(early).rejects.toMatchObject({ code: "length_inconsistent" });
    const body = givenBody([front], { chunked: true });
    const chunked = uploads.send(upload, 0, { body, completes: "at_end" });
    await expect(chunked).rejects.toMatchObject({ code: "length_inconsistent" });
    expect(await uploads.stored(upload)).toMatchObject({ state: "open", offset: front.length });
  });
});

describe("an upload whose bytes were lost behind the server's back", () => {
  async function damaged(changes: Partial<CreateRequest>): Promise<Upload> {
    const upload = await uploads.create(changes);
    await uploads.send(upload, 0, { body: givenBody([bytes]), completes: "as_created" });
    const keys = (await uploads.catalog.listExtents(upload.blobId)).map(({ key }) => key);
    await uploads.engine.blobs.remove(keys);
    return upload;
  }

  test("is not completed by an append without bytes", async () => {
    const upload = await damaged({ completes: "when_told" });
    const told = { body: givenBody([]), completes: "at_end" } as const;
    const refused = uploads.send(upload, bytes.length, told);
    await expect(refused).rejects.toMatchObject({ code: "upload_damaged" });
    expect(await uploads.stored(upload)).toMatchObject({ state: "damaged", offset: bytes.length });
  });

  test("stays open where another has taken it over meanwhile, who sees for itself", async () => {
    const upload = await damaged({ completes: "when_told" });
    const end = uploads.catalog.end.bind(uploads.catalog);
    uploads.catalog.end = async (ending) => {
      await new Leases(uploads.engine).take(upload.id);
      return await end(ending);
    };
    const told = { body: givenBody([]), completes: "at_end" } as const;
    const refused = uploads.send(upload, bytes.length, told);
    await expect(refused).rejects.toMatchObject({ code: "superseded" });
    expect(await uploads.stored(upload)).toMatchObject({ state: "open" });
  });

  test("is not completed by being looked at once its length is said", async () => {
    const upload = await damaged({ length: undefined });
    const body = givenBody([], { ending: "cut", chunked: true });
    const cut = uploads.send(upload, bytes.length, { body, length: bytes.length });
    await expect(cut).rejects.toMatchObject({ code: "body_cut" });
    expect(await findUpload(uploads.engine, upload.id, upload.appId)).toMatchObject({
      state: "damaged",
    });
  });
});

test("bytes that come while others are committed become durable, too, when nothing follows", async () => {
  const clock = new ManualClock();
  const firstCommit = Promise.withResolvers<undefined>();
  const advance = uploads.catalog.advance.bind(uploads.catalog);
  let commits = 0;
  uploads.catalog.advance = async (wanted) => {
    commits += 1;
    if (commits === 1) await firstCommit.promise;
    return await advance(wanted);
  };
  uploads.engine = engineOver(uploads.catalog, { clock });
  const upload = await uploads.create();
  const waiting: PromiseWithResolvers<BodyBatch>[] = [];
  const body: Body = {
    announcedLength: bytes.length,
    isOver: false,
    next: () => {
      waiting.push(Promise.withResolvers());
      return (waiting.at(-1) ?? Promise.withResolvers<BodyBatch>()).promise;
    },
    stop: () => undefined,
  };
  const bring = async (chunk: Uint8Array): Promise<void> => {
    const asked = waiting.length;
    waiting.at(-1)?.resolve({ kind: "bytes", chunks: [chunk], length: chunk.length, waitedMs: 0 });
    await eventually(() => (waiting.length > asked ? true : undefined), { what: "the next ask" });
  };
  const told: number[] = [];
  const ended = uploads.send(upload, 0, { body, onDurable: (offset) => told.push(offset) });
  await eventually(() => (waiting.length > 0 ? true : undefined), { what: "the first ask" });
  await bring(front);
  clock.pass(20_000);
  await eventually(() => (commits > 0 ? true : undefined), { what: "the first commit" });
  await bring(back.subarray(0, 20_000));
  clock.pass(20_000);
  firstCommit.resolve(undefined);
  const reached = front.length + 20_000;
  await eventually(() => (told.includes(reached) ? true : undefined), {
    what: "the second commit",
  });
  expect(told).toEqual([front.length, reached]);
  waiting.at(-1)?.resolve({ kind: "end", ending: "cut" });
  await expect(ended).rejects.toMatchObject({ code: "body_cut" });
});

test("a sync that does not end holds up no other upload", async () => {
  const volume = calmVolume();
  const [begun, ended] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const create = volume.create.bind(volume);
  volume.create = async (key) => {
    volume.create = create;
    const file = await create(key);
    const sync = async (): Promise<void> => {
      begun.resolve(undefined);
      await ended.promise;
      await file.sync();
    };
    return { ...file, sync };
  };
  uploads.engine = engineOver(uploads.catalog, { blobs: diskStoreOver(volume) });
  const [slow, other] = [await uploads.create(), await uploads.create()];
  const held = uploads.send(slow, 0, { body: givenBody([front, back]) });
  await within(begun.promise, { what: "the sync that does not end" });

  const told: number[] = [];
  const onDurable = (offset: number) => told.push(offset);
  const send = (offset: number, chunk: Uint8Array): Promise<Upload> =>
    within(uploads.send(other, offset, { body: givenBody([chunk]), onDurable }), {
      what: `the other upload to go on from ${offset}`,
    });
  expect(await send(0, front)).toMatchObject({ state: "open", offset: front.length });
  const whole = await send(front.length, back);
  expect(whole).toMatchObject({ state: "complete", offset: bytes.length });
  expect(told).toEqual([front.length, bytes.length]);
  expect((await uploads.contentOf(whole)).equals(bytes)).toBe(true);
  expect(await uploads.stored(slow), "told of before its sync").toMatchObject({ offset: 0 });

  ended.resolve(undefined);
  expect(await held).toMatchObject({ state: "complete", offset: bytes.length });
});

describe("a catalog that has no room for a commit", () => {
  test("keeps none of its bytes on the disk, and all that were committed before", async () => {
    const filesLeft = await uploads.onRealDisk();
    const advance = uploads.catalog.advance.bind(uploads.catalog);
    const refuse = (): Promise<never> => Promise.reject(new CatalogFullError());
    const upload = await uploads.create();
    uploads.catalog.advance = refuse;
    const refused = uploads.send(upload, 0, { body: givenBody([front]) });
    await expect(refused).rejects.toMatchObject({ code: "no_room" });
    expect(await filesLeft()).toEqual([]);
    uploads.catalog.advance = advance;
    await uploads
      .send(upload, 0, { body: givenBody([front], { ending: "cut" }) })
      .catch(() => undefined);
    uploads.catalog.advance = refuse;
    const again = uploads.send(upload, front.length, { body: givenBody([back]) });
    await expect(again).rejects.toMatchObject({ code: "no_room" });
    uploads.catalog.advance = advance;
    const whole = await uploads.send(upload, front.length, { body: givenBody([back]) });
    expect((await uploads.contentOf(whole)).equals(bytes)).toBe(true);
    expect(await filesLeft()).toHaveLength(1);
  });

  test("keeps the bytes of a commit whose outcome is not known", async () => {
    const filesLeft = await uploads.onRealDisk();
    const upload = await uploads.create();
    uploads.catalog.advance = () => Promise.reject(new Error("the answer was lost"));
    await expect(uploads.send(upload, 0, { body: givenBody([front]) })).rejects.toThrow("lost");
    expect(await filesLeft()).toHaveLength(1);
  });
});

test("whoever wants to is told every durable offset, and no other", async () => {
  const upload = await uploads.create();
  const told: number[] = [];
  const onDurable = (offset: number) => told.push(offset);
  await uploads.send(upload, 0, { body: givenBody([front]), onDurable });
  await uploads.send(upload, front.length, { body: givenBody([back]), onDurable });
  expect(told).toEqual([front.length, bytes.length]);
});

test("who asks how far an upload is while a cut sender's bytes are written is told of them", async () => {
  const upload = await uploads.create();
  const given = givenBody([front], { ending: "cut" });
  let asked: Promise<Upload> | undefined;
  const body: Body = {
    ...given,
    next: () => {
      asked ??= findSettled(uploads.engine, upload);
      return given.next();
    },
  };
  await expect(uploads.send(upload, 0, { body })).rejects.toMatchObject({ code: "body_cut" });
  expect((await asked)?.offset).toBe(front.length);
});
