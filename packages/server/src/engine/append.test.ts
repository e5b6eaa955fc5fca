import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { givenBody } from "../../../../test/support/given-body.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { MemoryCatalog } from "../../../../test/support/memory-catalog.ts";
import { diskStoreOver, engineOver } from "../../../../test/support/memory-engine.ts";
import { patternBytes } from "../../../../test/support/seeded.ts";
import type { Body, BodyBatch } from "../base/body.ts";
import { NodeVolume } from "../blobs/disk/node-volume.ts";
import { CatalogFullError } from "../catalog/catalog.ts";
import type { Upload } from "../catalog/records.ts";
import { append, type AppendRequest } from "./append.ts";
import type { ExpectedDigest } from "./body-digest.ts";
import { createUpload, type CreateRequest } from "./create.ts";
import { Leases } from "./lease.ts";
import { findSettled, findUpload } from "./look-up.ts";
import type { EngineParts } from "./parts.ts";
import { readBlob } from "./read.ts";

const bytes = patternBytes({ seed: 7, length: 100_000 });
const [front, back] = [bytes.subarray(0, 60_000), bytes.subarray(60_000)];

let catalog: MemoryCatalog;
let engine: EngineParts;

beforeEach(() => {
  catalog = new MemoryCatalog();
  engine = engineOver(catalog);
});

function create(changes: Partial<CreateRequest> = {}): Promise<Upload> {
  const app = {
    id: "1001",
    lengthMax: 200_000,
    lifetimeMs: 86_400_000,
    contentPolicy: "off",
    roomBytesMax: undefined,
  } as const;
  return createUpload(engine, {
    ...{ id: randomUUID(), app, userId: "42", name: "a.bin", type: "application/octet-stream" },
    ...{ length: bytes.length, protocol: "graph", creation: "", completes: "at_length" },
    ...changes,
  });
}

function send(
  { id }: Upload,
  offset: number,
  words: Partial<AppendRequest> & { readonly body: Body },
): Promise<Upload> {
  return append(engine, { id, offset, authorise: () => Promise.resolve(), ...words });
}

async function stored({ id }: Upload): Promise<Upload | undefined> {
  return await catalog.findUpload(id);
}

async function contentOf(upload: Upload): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readBlob(engine, upload.blobId, { from: 0, to: upload.offset })) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Puts the engine over a directory of its own; says which files are left in it. */
async function onRealDisk(): Promise<() => Promise<string[]>> {
  const root = await mkdtemp(path.join(tmpdir(), "hawser-append-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const [directory, quarantineDirectory] = [path.join(root, "blobs"), path.join(root, "aside")];
  const most = { syncsMax: 2, openFilesMax: 2 };
  const volume = await NodeVolume.open({ directory, quarantineDirectory, ...most });
  engine = engineOver(catalog, { blobs: diskStoreOver(volume) });
  return async () => {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  };
}

describe("a length that comes later", () => {
  test("without one nothing completes, and with one reaching it does", async () => {
    const upload = await create({ length: undefined });
    const open = await send(upload, 0, { body: givenBody([front]) });
    expect(open).toMatchObject({ state: "open", offset: front.length, length: undefined });
    const body = givenBody([back]);
    const whole = await send(upload, front.length, { body, length: bytes.length });
    expect(whole).toMatchObject({ state: "complete", length: bytes.length });
    expect((await contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("an empty append can bring it, and completes what is all there", async () => {
    const upload = await create({ length: undefined });
    await send(upload, 0, { body: givenBody([front]) });
    const words = { body: givenBody([]), length: front.length };
    expect(await send(upload, front.length, words)).toMatchObject({ state: "complete" });
    expect(await stored(upload)).toMatchObject({ state: "complete", length: front.length });
  });

  test("it outlives a request that is cut, and another one is refused", async () => {
    const upload = await create({ length: undefined });
    const body = givenBody([front], { ending: "cut" });
    const cut = send(upload, 0, { body, length: bytes.length });
    await expect(cut).rejects.toMatchObject({ code: "body_cut" });
    expect(await stored(upload)).toMatchObject({ length: bytes.length, offset: front.length });
    const other = send(upload, front.length, { body: givenBody([]), length: bytes.length - 1 });
    await expect(other).rejects.toMatchObject({ code: "length_inconsistent" });
  });

  test("more than the app takes is refused, declared or sent", async () => {
    const upload = await create({ length: undefined });
    const declared = send(upload, 0, { body: givenBody([]), length: 200_001 });
    await expect(declared).rejects.toMatchObject({ code: "length_exceeded" });
    const chunked = givenBody([bytes, bytes, bytes], { chunked: true });
    await expect(send(upload, 0, { body: chunked })).rejects.toMatchObject({
      code: "length_exceeded",
    });
    expect(await stored(upload)).toMatchObject({ state: "open", offset: 199_999 });
  });
});

describe("completion that is told", () => {
  test("reaching the length leaves it open until an empty append tells", async () => {
    const upload = await create({ completes: "when_told" });
    const body = givenBody([front, back]);
    const full = await send(upload, 0, { body, completes: "as_created" });
    expect(full).toMatchObject({ state: "open", offset: bytes.length });
    const told = { body: givenBody([]), completes: "at_end" } as const;
    const whole = await send(upload, bytes.length, told);
    expect(whole.state).toBe("complete");
    expect((await contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("an upload that has all its bytes takes no more, whatever is announced of them", async () => {
    const upload = await create({ completes: "when_told" });
    await send(upload, 0, { body: givenBody([bytes]), completes: "as_created" });
    for (const chunked of [false, true]) {
      const body = givenBody([front], { chunked });
      const more = send(upload, bytes.length, { body, completes: "as_created" });
      await expect(more).rejects.toMatchObject({ code: "length_exceeded" });
      expect(await stored(upload)).toMatchObject({ state: "open", offset: bytes.length });
    }
  });

  test.for([false, true])("a body's end can be the upload's (chunked: %s)", async (chunked) => {
    const upload = await create({ completes: "when_told", length: undefined });
    const body = givenBody([front, back], { chunked });
    const whole = await send(upload, 0, { body, completes: "at_end" });
    expect(whole).toMatchObject({ state: "complete", length: bytes.length });
    expect(await stored(upload)).toMatchObject({ state: "complete", length: bytes.length });
    expect((await contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("the length is committed with the end, also when a commit was under way then", async () => {
    const upload = await create({ completes: "when_told", length: undefined });
    const advance = catalog.advance.bind(catalog);
    catalog.advance = async (change) => {
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
    const whole = await send(upload, 0, asked);
    expect(whole).toMatchObject({ state: "complete", length: bytes.length });
    expect(await stored(upload)).toMatchObject({ state: "complete", length: bytes.length });
  });

  test("a body that is cut tells nothing", async () => {
    const upload = await create({ completes: "when_told", length: undefined });
    const body = givenBody([front], { ending: "cut", chunked: true });
    const cut = send(upload, 0, { body, completes: "at_end" });
    await expect(cut).rejects.toMatchObject({ code: "body_cut" });
    expect(await stored(upload)).toMatchObject({ state: "open", offset: front.length });
  });

  test("an end before the known length completes nothing and keeps what came", async () => {
    const upload = await create({ completes: "when_told" });
    const early = send(upload, 0, { body: givenBody([front]), completes: "at_end" });
    await expect(early).rejects.toMatchObject({ code: "length_inconsistent" });
    const body = givenBody([front], { chunked: true });
    const chunked = send(upload, 0, { body, completes: "at_end" });
    await expect(chunked).rejects.toMatchObject({ code: "length_inconsistent" });
    expect(await stored(upload)).toMatchObject({ state: "open", offset: front.length });
  });
});

describe("an upload whose bytes were lost behind the server's back", () => {
  async function damaged(changes: Partial<CreateRequest>): Promise<Upload> {
    const upload = await create(changes);
    await send(upload, 0, { body: givenBody([bytes]), completes: "as_created" });
    const keys = (await catalog.listExtents(upload.blobId)).map(({ key }) => key);
    await engine.blobs.remove(keys);
    return upload;
  }

  test("is not completed by an append without bytes", async () => {
    const upload = await damaged({ completes: "when_told" });
    const told = { body: givenBody([]), completes: "at_end" } as const;
    const refused = send(upload, bytes.length, told);
    await expect(refused).rejects.toMatchObject({ code: "upload_damaged" });
    expect(await stored(upload)).toMatchObject({ state: "damaged", offset: bytes.length });
  });

  test("stays open where another has taken it over meanwhile, who sees for itself", async () => {
    const upload = await damaged({ completes: "when_told" });
    const end = catalog.end.bind(catalog);
    catalog.end = async (ending) => {
      await new Leases(engine).take(upload.id);
      return await end(ending);
    };
    const told = { body: givenBody([]), completes: "at_end" } as const;
    const refused = send(upload, bytes.length, told);
    await expect(refused).rejects.toMatchObject({ code: "superseded" });
    expect(await stored(upload)).toMatchObject({ state: "open" });
  });

  test("is not completed by being looked at once its length is said", async () => {
    const upload = await damaged({ length: undefined });
    const body = givenBody([], { ending: "cut", chunked: true });
    const cut = send(upload, bytes.length, { body, length: bytes.length });
    await expect(cut).rejects.toMatchObject({ code: "body_cut" });
    expect(await findUpload(engine, upload.id, upload.appId)).toMatchObject({ state: "damaged" });
  });
});

test("bytes that come while others are committed become durable, too, when nothing follows", async () => {
  const clock = new ManualClock();
  const firstCommit = Promise.withResolvers<undefined>();
  const advance = catalog.advance.bind(catalog);
  let commits = 0;
  catalog.advance = async (wanted) => {
    commits += 1;
    if (commits === 1) await firstCommit.promise;
    return await advance(wanted);
  };
  engine = engineOver(catalog, { clock });
  const upload = await create();
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
  const ended = send(upload, 0, { body, onDurable: (offset) => told.push(offset) });
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

describe("an append with a digest", () => {
  const sha1 = (of: Uint8Array): Buffer => createHash("sha1").update(of).digest();
  const digest = (of: Uint8Array): ExpectedDigest => ({
    algorithm: "sha1",
    expected: () => sha1(of),
  });

  test("counts when it matches", async () => {
    const upload = await create();
    await send(upload, 0, { body: givenBody([front]), digest: digest(front) });
    const words = { body: givenBody([back]), digest: digest(back) };
    const whole = await send(upload, front.length, words);
    expect(whole.state).toBe("complete");
    expect((await contentOf(whole)).equals(bytes)).toBe(true);
  });

  test.for([
    ["that is another's", {}, digest(back)],
    ["that never comes", {}, { algorithm: "sha1", expected: (): undefined => undefined }],
    ["whose body is cut", { ending: "cut" } as const, digest(front)],
  ] as const)("%s changes nothing, and the same bytes can be sent again", async (given) => {
    const [, how, wanted] = given;
    const upload = await create();
    const failed = send(upload, 0, { body: givenBody([front], how), digest: wanted });
    await expect(failed).rejects.toMatchObject({
      code: "ending" in how ? "body_cut" : "digest_mismatch",
    });
    expect(await stored(upload)).toMatchObject({ offset: 0, state: "open" });
    const whole = await send(upload, 0, { body: givenBody([bytes]) });
    expect((await contentOf(whole)).equals(bytes)).toBe(true);
  });

  test("leaves nothing on the disk when it does not match", async () => {
    const filesLeft = await onRealDisk();
    const upload = await create();
    const failed = send(upload, 0, { body: givenBody([front]), digest: digest(back) });
    await expect(failed).rejects.toMatchObject({ code: "digest_mismatch" });
    expect(await filesLeft()).toEqual([]);
  });

  test("CRC-32 is four bytes, the most significant first", async () => {
    const upload = await create({ length: 9 });
    const expected = () => Buffer.from("cbf43926", "hex");
    const body = givenBody([Buffer.from("123456789")]);
    const whole = await send(upload, 0, { body, digest: { algorithm: "crc32", expected } });
    expect(whole.state).toBe("complete");
  });

  test("has to match also where the upload is complete and nothing is left to append", async () => {
    const upload = await create({ length: front.length });
    await send(upload, 0, { body: givenBody([front]) });
    const nothing = new Uint8Array();
    const repeat = (wanted: ExpectedDigest): Promise<Upload> =>
      send(upload, front.length, { body: givenBody([]), digest: wanted });
    expect(await repeat(digest(nothing))).toMatchObject({ state: "complete" });
    await expect(repeat(digest(front))).rejects.toMatchObject({ code: "digest_mismatch" });
  });
});

describe("a catalog that has no room for a commit", () => {
  test("keeps none of its bytes on the disk, and all that were committed before", async () => {
    const filesLeft = await onRealDisk();
    const advance = catalog.advance.bind(catalog);
    const refuse = (): Promise<never> => Promise.reject(new CatalogFullError());
    const upload = await create();
    catalog.advance = refuse;
    const refused = send(upload, 0, { body: givenBody([front]) });
    await expect(refused).rejects.toMatchObject({ code: "no_room" });
    expect(await filesLeft()).toEqual([]);
    catalog.advance = advance;
    await send(upload, 0, { body: givenBody([front], { ending: "cut" }) }).catch(() => undefined);
    catalog.advance = refuse;
    const again = send(upload, front.length, { body: givenBody([back]) });
    await expect(again).rejects.toMatchObject({ code: "no_room" });
    catalog.advance = advance;
    const whole = await send(upload, front.length, { body: givenBody([back]) });
    expect((await contentOf(whole)).equals(bytes)).toBe(true);
    expect(await filesLeft()).toHaveLength(1);
  });

  test("keeps the bytes of a commit whose outcome is not known", async () => {
    const filesLeft = await onRealDisk();
    const upload = await create();
    catalog.advance = () => Promise.reject(new Error("the answer was lost"));
    await expect(send(upload, 0, { body: givenBody([front]) })).rejects.toThrow("lost");
    expect(await filesLeft()).toHaveLength(1);
  });
});

describe("a digest of the whole", () => {
  test.for([
    ["complete", bytes],
    ["rejected", front],
  ] as const)("makes it %s", async ([state, of]) => {
    const sha256 = createHash("sha256").update(of).digest("hex");
    const upload = await create({ sha256 });
    await send(upload, 0, { body: givenBody([front]) });
    const last = send(upload, front.length, { body: givenBody([back]) });
    if (state === "complete") expect((await last).state).toBe(state);
    else await expect(last).rejects.toMatchObject({ code: "content_rejected" });
    expect((await stored(upload))?.state).toBe(state);
  });

  test.for([
    ["complete", bytes],
    ["rejected", front],
  ] as const)("that comes with the last part makes it %s", async ([state, of]) => {
    const sha256 = createHash("sha256").update(of).digest("hex");
    const upload = await create({ completes: "when_told" });
    await send(upload, 0, { body: givenBody([front]), completes: "as_created" });
    const words = { body: givenBody([back]), completes: "at_end", sha256 } as const;
    const last = send(upload, front.length, words);
    if (state === "complete") expect((await last).state).toBe(state);
    else await expect(last).rejects.toMatchObject({ code: "content_rejected" });
    expect((await stored(upload))?.state).toBe(state);
  });

  test("that comes with a part before the last is kept, and makes it rejected in the end", async () => {
    const sha256 = createHash("sha256").update(front).digest("hex");
    for (const first of [[front], []]) {
      const upload = await create({ completes: "when_told" });
      const words = { body: givenBody(first), completes: "as_created", sha256 } as const;
      const { offset } = await send(upload, 0, words);
      expect((await stored(upload))?.sha256).toBe(sha256);
      const rest = { body: givenBody([bytes.subarray(offset)]), completes: "at_end" } as const;
      const last = send(upload, offset, rest);
      await expect(last).rejects.toMatchObject({ code: "content_rejected" });
    }
  });

  test("that is another than was said before is refused at once, and changes nothing", async () => {
    const [first, other] = [bytes, front].map((of) =>
      createHash("sha256").update(of).digest("hex"),
    );
    const upload = await create({ sha256: first });
    const body = givenBody([bytes]);
    const refusal = { code: "digest_inconsistent" };
    await expect(send(upload, 0, { body, sha256: other })).rejects.toMatchObject(refusal);
    expect(await stored(upload)).toMatchObject({ state: "open", offset: 0, sha256: first });
    const again = { body: givenBody([bytes]), sha256: first };
    expect((await send(upload, 0, again)).state).toBe("complete");
  });
});

test("whoever wants to is told every durable offset, and no other", async () => {
  const upload = await create();
  const told: number[] = [];
  const onDurable = (offset: number) => told.push(offset);
  await send(upload, 0, { body: givenBody([front]), onDurable });
  await send(upload, front.length, { body: givenBody([back]), onDurable });
  expect(told).toEqual([front.length, bytes.length]);
});

test("who asks how far an upload is while a cut sender's bytes are written is told of them", async () => {
  const upload = await create();
  const given = givenBody([front], { ending: "cut" });
  let asked: Promise<Upload> | undefined;
  const body: Body = {
    ...given,
    next: () => {
      asked ??= findSettled(engine, upload);
      return given.next();
    },
  };
  await expect(send(upload, 0, { body })).rejects.toMatchObject({ code: "body_cut" });
  expect((await asked)?.offset).toBe(front.length);
});
