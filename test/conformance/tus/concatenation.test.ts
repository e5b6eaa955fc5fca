import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { metadataOf, offsetType, type TusHeaders } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const pieces = [
  patternBytes({ seed: 311, length: 5_000 }),
  patternBytes({ seed: 312, length: 20_000 }),
  patternBytes({ seed: 313, length: 30_000 }),
];
const partial = { "Upload-Concat": "partial" };

function finalOf(urls: readonly (URL | string)[]): { readonly "Upload-Concat": string } {
  return { "Upload-Concat": `final;${urls.map((url) => `${url}`).join(" ")}` };
}

async function partials(): Promise<URL[]> {
  const { api } = target();
  const urls: URL[] = [];
  for (const piece of pieces) urls.push(await api.upload(piece, partial));
  return urls;
}

async function expectRefused(headers: TusHeaders): Promise<void> {
  const answer = await target().api.post(headers);
  expect(answer.status, answer.seen).toBeGreaterThanOrEqual(400);
  expect(answer.status, answer.seen).toBeLessThan(500);
  expect(answer.header("location")).toBeUndefined();
}

describe("a partial upload", () => {
  it("is created and gets its bytes as any other", async () => {
    const { api } = target();
    const [piece = Buffer.alloc(0)] = pieces;
    const url = await api.create({ "Upload-Length": `${piece.length}`, ...partial });
    expect((await api.patch({ url, offset: 0, bytes: piece })).offset).toBe(piece.length);
  });

  it("is told to be one by HEAD, with its offset", async () => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": "10", ...partial });
    const empty = await api.head(url);
    expect(empty.header("upload-concat"), empty.seen).toBe("partial");
    expect(empty.offset).toBe(0);
    await api.patch({ url, offset: 0, bytes: Buffer.from("0123456789") });
    const full = await api.head(url);
    expect(full.header("upload-concat"), full.seen).toBe("partial");
    expect(full.offset).toBe(10);
  });
});

describe("a final upload of finished partial ones", () => {
  it("has all their bytes in the order in which they were named", async () => {
    const { api } = target();
    const [a, b, c] = await partials();
    const url = await api.create(finalOf([c, a, b].map((each) => each?.href ?? "")));
    const [first, second, third] = pieces;
    const expected = Buffer.concat([third, first, second].map((piece) => piece ?? Buffer.of()));
    expect((await target().content(url)).equals(expected)).toBe(true);
  });

  it("is told to be finished at once, with offset and length the sum of theirs", async () => {
    const { api } = target();
    const concat = finalOf(await partials());
    const answer = await api.head(await api.create(concat));
    expect(answer.status, answer.seen).toBe(200);
    expect(answer.header("upload-offset")).toBe("55000");
    expect(answer.header("upload-length")).toBe("55000");
    expect(answer.header("upload-concat")).toBe(concat["Upload-Concat"]);
    expect(answer.header("upload-defer-length")).toBeUndefined();
  });

  it("takes their URLs relative to its own, too", async () => {
    const { api } = target();
    const urls = (await partials()).map(({ pathname }) => pathname);
    const answer = await api.head(await api.create(finalOf(urls)));
    expect(answer.header("upload-length"), answer.seen).toBe("55000");
    expect(answer.header("upload-concat")).toBe(`final;${urls.join(" ")}`);
  });

  it("may have the same one more than once, as may several final ones", async () => {
    const { api } = target();
    const [piece = Buffer.alloc(0)] = pieces;
    const part = await api.upload(piece, partial);
    const twice = await api.create(finalOf([part, part]));
    const thrice = await api.create(finalOf([part, part, part]));
    expect((await target().content(twice)).equals(Buffer.concat([piece, piece]))).toBe(true);
    const expected = Buffer.concat([piece, piece, piece]);
    expect((await target().content(thrice)).equals(expected)).toBe(true);
    expect(await api.offsetOf(part)).toBe(piece.length);
  });

  it("has the metadata it was created with, and none of theirs", async () => {
    const { api } = target();
    const part = { "Upload-Metadata": metadataOf({ filename: "part.bin", secret: "x" }) };
    const url = await api.upload(Buffer.from("hello"), { ...partial, ...part });
    const bare = await api.create(finalOf([url]));
    expect((await api.head(bare)).header("upload-metadata")).toBeUndefined();
    const own = metadataOf({ filename: "whole.bin" });
    const named = await api.create({ ...finalOf([url]), "Upload-Metadata": own });
    expect((await api.head(named)).header("upload-metadata")).toBe(own);
  });

  it("may have none but partial ones without bytes", async () => {
    const { api } = target();
    const empty = await api.create({ "Upload-Length": "0", ...partial });
    const url = await api.create(finalOf([empty, empty]));
    expect(await api.offsetOf(url)).toBe(0);
    expect(await target().content(url)).toHaveLength(0);
  });

  it("outlives its partial ones", async () => {
    const { api } = target();
    const urls = await partials();
    const url = await api.create(finalOf(urls));
    for (const part of urls) await api.delete(part);
    expect((await target().content(url)).equals(Buffer.concat(pieces))).toBe(true);
  });
});

describe("a final upload of partial ones that are still in progress", () => {
  it("is told without an offset until all of them are finished", async () => {
    const { api } = target();
    const [a, b] = [
      await api.create({ "Upload-Length": "5", ...partial }),
      await api.create({ "Upload-Length": "6", ...partial }),
    ];
    const url = await api.create(finalOf([a, b]));
    await api.patch({ url: b, offset: 0, bytes: Buffer.from(" world") });
    const unfinished = await api.head(url);
    expect(unfinished.status, unfinished.seen).toBe(200);
    expect(unfinished.header("upload-offset")).toBeUndefined();
    expect(unfinished.header("upload-length")).toBe("11");
    expect(unfinished.header("upload-concat")).toBe(finalOf([a, b])["Upload-Concat"]);
    await api.patch({ url: a, offset: 0, bytes: Buffer.from("hello") });
    const finished = await api.head(url);
    expect(finished.header("upload-offset"), finished.seen).toBe("11");
    expect(finished.header("upload-length")).toBe("11");
    expect((await target().content(url)).toString()).toBe("hello world");
  });

  it("is told without a length while that of one of them is not known", async () => {
    const { api } = target();
    const a = await api.create({ "Upload-Defer-Length": "1", ...partial });
    const url = await api.create(finalOf([a]));
    const unknown = await api.head(url);
    expect(unknown.status, unknown.seen).toBe(200);
    expect(unknown.header("upload-length")).toBeUndefined();
    const headers = { "Upload-Length": "5" };
    await api.patch({ url: a, offset: 0, bytes: Buffer.from("hello"), headers });
    expect((await api.head(url)).header("upload-length")).toBe("5");
    expect((await target().content(url)).toString()).toBe("hello");
  });

  it("is gone with the first of them that is terminated", async (context) => {
    target().hawser(context);
    const { api } = target();
    const [a, b] = [
      await api.create({ "Upload-Length": "5", ...partial }),
      await api.upload(Buffer.from(" world"), partial),
    ];
    const url = await api.create(finalOf([a, b]));
    await api.delete(a);
    const gone = await api.head(url);
    expect(gone.status, gone.seen).toBe(410);
    expect(await api.offsetOf(b)).toBe(6);
  });

  it("is rejected when they turn out to be longer than the app allows", async (context) => {
    const { api } = await target().secondApp(context, { lengthMax: 8 });
    const a = await api.create({ "Upload-Defer-Length": "1", ...partial });
    const url = await api.create(finalOf([a, a]));
    const headers = { "Upload-Length": "5" };
    await api.patch({ url: a, offset: 0, bytes: Buffer.from("hello"), headers });
    const answers = [await api.head(url), await api.delete(url)];
    expect(answers.map(({ status }) => status)).toEqual([422, 422]);
    expect(answers[1]?.body.toString()).toMatch(/10 bytes together, and it can have 8 at most/);
    expect(await api.offsetOf(a)).toBe(5);
  });
});

describe("a PATCH of a final upload", () => {
  it("that is finished is refused with 403 and changes nothing", async () => {
    const { api } = target();
    const urls = await partials();
    const url = await api.create(finalOf(urls));
    for (const offset of [0, 55_000]) {
      const answer = await api.patch({ url, offset, bytes: Buffer.from("x") });
      expect(answer.status, answer.seen).toBe(403);
    }
    expect((await target().content(url)).equals(Buffer.concat(pieces))).toBe(true);
    for (const [index, part] of urls.entries()) {
      expect(await api.offsetOf(part)).toBe(pieces[index]?.length);
    }
  });

  it("that is not finished is refused with 403 and changes nothing", async () => {
    const { api } = target();
    const part = await api.create({ "Upload-Length": "5", ...partial });
    const url = await api.create(finalOf([part]));
    const answer = await api.patch({ url, offset: 0, bytes: Buffer.from("hello") });
    expect(answer.status, answer.seen).toBe(403);
    expect(await api.offsetOf(part)).toBe(0);
  });
});

describe("a final upload that cannot be", () => {
  it("because it brings a length of its own is refused", async () => {
    const { api } = target();
    const part = await api.upload(Buffer.from("hello"), partial);
    await expectRefused({ ...finalOf([part]), "Upload-Length": "5" });
  });

  it("because its length is said to come later is refused", async () => {
    const { api } = target();
    const part = await api.upload(Buffer.from("hello"), partial);
    await expectRefused({ ...finalOf([part]), "Upload-Defer-Length": "1" });
  });

  it("because a partial one is not there is refused", async () => {
    const { api } = target();
    const part = await api.upload(Buffer.from("hello"), partial);
    await expectRefused(finalOf([part, `${part.href.slice(0, -4)}ffff`]));
  });

  it("because a partial one was terminated is refused", async () => {
    const { api } = target();
    const part = await api.create({ "Upload-Length": "5", ...partial });
    await api.delete(part);
    await expectRefused(finalOf([part]));
  });

  it.for(["final;", "final", "Partial", "final;/nowhere/at/all", "final;not-an-upload"])(
    "because Upload-Concat is %j is refused",
    async (concat) => {
      await expectRefused({ "Upload-Concat": concat, "Upload-Length": "5" });
      await expectRefused({ "Upload-Concat": concat });
    },
  );

  it("because one of them is no partial one is refused", async (context) => {
    target().hawser(context);
    const whole = await target().api.upload(Buffer.from("hello"));
    await expectRefused(finalOf([whole]));
  });

  it("because it brings bytes of its own is refused", async (context) => {
    target().hawser(context);
    const { api } = target();
    const part = await api.upload(Buffer.from("hello"), partial);
    const headers = { ...finalOf([part]), "Content-Type": offsetType };
    const answer = await api.post(headers, "x");
    expect(answer.status, answer.seen).toBe(403);
  });

  it("because a partial one is another app's is refused as if it were not there", async (context) => {
    const theirs = await target().secondApp(context);
    const part = await theirs.api.upload(Buffer.from("hello"), partial);
    const answer = await target().api.post(finalOf([part]));
    expect(answer.status, answer.seen).toBe(400);
    expect(answer.body.toString()).toMatch(/not there/);
  });

  it("because it would be longer than the app allows is refused with 413", async (context) => {
    const { api } = await target().secondApp(context, { lengthMax: 8 });
    const part = await api.upload(Buffer.from("hello"), partial);
    const answer = await api.post(finalOf([part, part]));
    expect(answer.status, answer.seen).toBe(413);
    expect((await api.post(finalOf([part]))).status).toBe(201);
  });
});

it("a final upload of many large partial ones takes no room for their bytes", async (context) => {
  const { dataDirectory } = target().ownServer(context);
  const { api } = target();
  const bytes = patternBytes({ seed: 314, length: 8_000_000 });
  const part = await api.upload(bytes, partial);
  const before = await bytesIn(dataDirectory);
  const url = await api.create(finalOf(Array.from({ length: 200 }, () => part)));
  expect(await api.offsetOf(url)).toBe(200 * bytes.length);
  // Of 1.6 GB less than one part: its rows.
  expect((await bytesIn(dataDirectory)) - before).toBeLessThan(bytes.length);
});

/** What the files of a directory are long together. */
async function bytesIn(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
