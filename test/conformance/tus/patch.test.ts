import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, type TestContext } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { chunked, declaring, useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const length = 10_000;
const whole = patternBytes({ seed: 231, length });
// A number that could not stand in an answer by accident.
const current = 4_321;

function created(): Promise<URL> {
  return target().api.create({ "Upload-Length": `${length}` });
}

async function begun(): Promise<URL> {
  const { api } = target();
  const url = await created();
  await api.patch({ url, offset: 0, bytes: whole.subarray(0, current) });
  return url;
}

/** Whatever was tried before, the rest can still be sent and the bytes are the right ones. */
async function expectCompletes(url: URL): Promise<void> {
  const { api } = target();
  const offset = await api.offsetOf(url);
  const answer = await api.patch({ url, offset, bytes: whole.subarray(offset) });
  expect(answer.status, answer.seen).toBe(204);
  expect((await target().content(url)).equals(whole)).toBe(true);
}

describe("PATCH", () => {
  it("is answered with 204 and the sum of the old offset and the bytes that came", async () => {
    const { api } = target();
    const url = await created();
    for (let offset = 0; offset < length; offset += 2_500) {
      const bytes = whole.subarray(offset, offset + 2_500);
      const answer = await api.patch({ url, offset, bytes });
      expect(answer.status, answer.seen).toBe(204);
      expect(answer.header("upload-offset")).toBe(`${offset + 2_500}`);
      expect(answer.body).toHaveLength(0);
    }
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("may bring all bytes at once", async () => {
    const { api } = target();
    const url = await created();
    const answer = await api.patch({ url, offset: 0, bytes: whole });
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.offset).toBe(length);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("may bring no bytes at all", async () => {
    const { api } = target();
    const url = await begun();
    const answer = await api.patch({ url, offset: current, bytes: Buffer.alloc(0) });
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.offset).toBe(current);
  });

  it("may bring its bytes in chunks of unknown number", async (context) => {
    const url = await begun();
    using connection = await target().beginPatch(context, { url, offset: current }, chunked);
    await connection.sendChunk(whole.subarray(current, 5_000));
    await connection.sendChunk(whole.subarray(5_000));
    await connection.sendLastChunk();
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(204);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("asks a client that waits for it to go on", async (context) => {
    const url = await created();
    const headers = [...declaring(length), ["Expect", "100-continue"] as const];
    using connection = await target().beginPatch(context, { url, offset: 0 }, headers);
    expect((await connection.readInterim())?.status).toBe(100);
    await connection.write(whole);
    expect((await connection.answer()).status).toBe(204);
  });

  it("of an upload that is not there is 404", async () => {
    const { api } = target();
    const url = new URL(`${(await created()).href.slice(0, -4)}ffff`);
    const answer = await api.patch({ url, offset: 0, bytes: whole });
    expect(answer.status, answer.seen).toBe(404);
  });
});

describe("a PATCH whose content is not application/offset+octet-stream", () => {
  it.for(["application/octet-stream", "text/plain", "application/offset", "a/b"])(
    "but %s is refused with 415 and changes nothing",
    async (type) => {
      const { api } = target();
      const url = await begun();
      const bytes = whole.subarray(current);
      const headers = { "Content-Type": type };
      const answer = await api.patch({ url, offset: current, bytes, headers });
      expect(answer.status, answer.seen).toBe(415);
      expect(await api.offsetOf(url)).toBe(current);
      await expectCompletes(url);
    },
  );

  it("because it does not say is refused with 415 and changes nothing", async () => {
    const { api } = target();
    const url = await begun();
    const headers = { "Upload-Offset": `${current}` };
    const body = whole.subarray(current);
    const answer = await api.request({ method: "PATCH", url, headers, body });
    expect(answer.status, answer.seen).toBe(415);
    expect(await api.offsetOf(url)).toBe(current);
  });
});

describe("an Upload-Offset that is not the current one", () => {
  it.for([0, 4_320, 4_322, length, length + 1, Number.MAX_SAFE_INTEGER])(
    "%d is refused with 409 and changes nothing",
    async (offset) => {
      const { api } = target();
      const url = await begun();
      const answer = await api.patch({ url, offset, bytes: Buffer.from("x") });
      expect(answer.status, answer.seen).toBe(409);
      expect(await api.offsetOf(url)).toBe(current);
      await expectCompletes(url);
    },
  );

  it("is refused with 409 for no bytes at all, too", async () => {
    const { api } = target();
    const url = await begun();
    const answer = await api.patch({ url, offset: 7, bytes: Buffer.alloc(0) });
    expect(answer.status, answer.seen).toBe(409);
  });

  it("is refused with 409 after completion", async () => {
    const { api } = target();
    const url = await api.upload(whole);
    const answer = await api.patch({ url, offset: 0, bytes: whole });
    expect(answer.status, answer.seen).toBe(409);
    expect(await api.offsetOf(url)).toBe(length);
  });

  it("is told along with the offset that would be right", async (context) => {
    target().hawser(context);
    const { api } = target();
    const answer = await api.patch({ url: await begun(), offset: 0, bytes: whole });
    expect(answer.offset).toBe(current);
    expect(answer.body.toString()).toMatch(/\b4321\b/);
  });
});

describe("an Upload-Offset that is no whole number from 0 on", () => {
  it.for(["-1", "+4321", "4321.0", "0x10e1", "4321,4321", "4e3", "NaN", "ten", "4321 4321"])(
    "%j is refused with 400 and changes nothing",
    async (offset) => {
      const { api } = target();
      const url = await begun();
      const headers = { "Upload-Offset": offset };
      const bytes = whole.subarray(current);
      const answer = await api.patch({ url, offset: current, bytes, headers });
      expect(answer.status, answer.seen).toBe(400);
      expect(await api.offsetOf(url)).toBe(current);
    },
  );

  it("because it is missing is refused and changes nothing", async () => {
    const { api } = target();
    const url = await begun();
    const headers = { "Content-Type": "application/offset+octet-stream" };
    const body = whole.subarray(current);
    const answer = await api.request({ method: "PATCH", url, headers, body });
    expect([400, 403], answer.seen).toContain(answer.status);
    expect(await api.offsetOf(url)).toBe(current);
  });
});

describe("more bytes than Upload-Length", () => {
  it("are refused, and the upload can still be completed", async () => {
    const { api } = target();
    const url = await begun();
    const bytes = Buffer.concat([whole.subarray(current), Buffer.from("x")]);
    const answer = await api.patch({ url, offset: current, bytes });
    expect(answer.status, answer.seen).toBeGreaterThanOrEqual(400);
    expect(answer.status, answer.seen).toBeLessThan(500);
    expect(await api.offsetOf(url)).toBeLessThan(length);
    await expectCompletes(url);
  });

  it("are refused when they come chunked, and the upload can still be completed", async (context) => {
    const { api } = target();
    const url = await begun();
    using connection = await target().beginPatch(context, { url, offset: current }, chunked);
    await connection.sendChunk(whole.subarray(current));
    await connection.sendChunk(Buffer.from("x"));
    await connection.sendLastChunk();
    const answer = await connection.answer();
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(await api.offsetOf(url)).toBeLessThan(length);
    await expectCompletes(url);
  });

  it("are refused after completion, too", async () => {
    const { api } = target();
    const url = await api.upload(whole);
    const answer = await api.patch({ url, offset: length, bytes: Buffer.from("x") });
    expect(answer.status, answer.seen).toBeGreaterThanOrEqual(400);
    expect(answer.status, answer.seen).toBeLessThan(500);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });
});

describe("a PATCH that is cut", () => {
  interface Cut {
    readonly url: URL;
    readonly bytes: Uint8Array;
    /** How long the connection stays when they have been written. */
    readonly afterMs: number;
  }

  async function cut(context: TestContext, { url, bytes, afterMs }: Cut): Promise<void> {
    const connection = await target().beginPatch(context, { url, offset: 0 }, declaring(length));
    await connection.write(bytes);
    await sleep(afterMs);
    connection.close();
  }

  async function expectKept(url: URL, offset: number): Promise<void> {
    const kept = async () => ((await target().api.offsetOf(url)) >= offset ? true : undefined);
    await eventually(kept, { what: "the bytes that came to count" });
  }

  it("leaves the bytes that came, from which the upload goes on", async (context) => {
    const url = await created();
    // Long enough for any server to have taken them in.
    await cut(context, { url, bytes: whole.subarray(0, current), afterMs: 500 });
    await expectKept(url, current);
    await expectCompletes(url);
  });

  it("leaves even the bytes that came in the same moment", async (context) => {
    target().hawser(context);
    const url = await created();
    await cut(context, { url, bytes: whole.subarray(0, current), afterMs: 0 });
    await expectKept(url, current);
    await expectCompletes(url);
  });

  it("right after its last byte is complete or can be completed", async (context) => {
    target().hawser(context);
    const url = await created();
    await cut(context, { url, bytes: whole, afterMs: 0 });
    await expectKept(url, length - 1);
    await expectCompletes(url);
  });
});

describe("a PATCH while another one is stalled", () => {
  it("takes over, and what the first brought counts", async (context) => {
    const { api } = target();
    const bytes = patternBytes({ seed: 232, length: 1_000_000 });
    const url = await api.create({ "Upload-Length": `${bytes.length}` });
    const onlooker = await target().onlooker(context);
    const upload = { url, offset: 0 };
    using stalled = await target().beginPatch(context, upload, declaring(bytes.length));
    await stalled.write(bytes.subarray(0, 300_000));
    const moved = async () => ((await onlooker.offsetOf(url)) === 300_000 ? true : undefined);
    // The last of them may be a trickle, which is durable only after 15 s.
    const what = "the first writer's bytes to be durable";
    await eventually(moved, { what, timeoutMs: 45_000 });
    const started = performance.now();
    const rest = bytes.subarray(300_000);
    const answer = await api.patch({ url, offset: 300_000, bytes: rest });
    // A hang guard: below the 15 s after which a newcomer would be sent away.
    expect(performance.now() - started).toBeLessThan(14_000);
    expect(answer.status, answer.seen).toBe(204);
    expect((await target().content(url)).equals(bytes)).toBe(true);
  }, 90_000);
});
