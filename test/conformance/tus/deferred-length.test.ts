import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const length = 10_000;
const whole = patternBytes({ seed: 261, length });

function created(): Promise<URL> {
  return target().api.create({ "Upload-Defer-Length": "1" });
}

describe("an upload whose length is not known yet", () => {
  it("is told to be one by every HEAD, without a length", async () => {
    const { api } = target();
    const url = await created();
    for (const offset of [0, 4_000]) {
      if (offset > 0) await api.patch({ url, offset: 0, bytes: whole.subarray(0, offset) });
      const answer = await api.head(url);
      expect(answer.status, answer.seen).toBe(200);
      expect(answer.header("upload-defer-length")).toBe("1");
      expect(answer.header("upload-length")).toBeUndefined();
      expect(answer.offset).toBe(offset);
    }
  });

  it("gets its length with the last bytes, and is complete with them", async () => {
    const { api } = target();
    const url = await created();
    await api.patch({ url, offset: 0, bytes: whole.subarray(0, 4_000) });
    const headers = { "Upload-Length": `${length}` };
    const bytes = whole.subarray(4_000);
    const answer = await api.patch({ url, offset: 4_000, bytes, headers });
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.offset).toBe(length);
    const head = await api.head(url);
    expect(head.header("upload-length")).toBe(`${length}`);
    expect(head.header("upload-defer-length")).toBeUndefined();
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("gets its length with a PATCH in between, and then goes on as usual", async () => {
    const { api } = target();
    const url = await created();
    const headers = { "Upload-Length": `${length}` };
    await api.patch({ url, offset: 0, bytes: whole.subarray(0, 4_000), headers });
    const head = await api.head(url);
    expect(head.header("upload-length")).toBe(`${length}`);
    expect(head.header("upload-defer-length")).toBeUndefined();
    await api.patch({ url, offset: 4_000, bytes: whole.subarray(4_000) });
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("gets its length without bytes once all are there, and is complete then", async () => {
    const { api } = target();
    const url = await created();
    await api.patch({ url, offset: 0, bytes: whole });
    const headers = { "Upload-Length": `${length}` };
    const answer = await api.patch({ url, offset: length, bytes: Buffer.alloc(0), headers });
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.offset).toBe(length);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("may turn out to have none", async () => {
    const { api } = target();
    const url = await created();
    const headers = { "Upload-Length": "0" };
    const answer = await api.patch({ url, offset: 0, bytes: Buffer.alloc(0), headers });
    expect(answer.status, answer.seen).toBe(204);
    expect((await api.head(url)).header("upload-length")).toBe("0");
    expect(await target().content(url)).toHaveLength(0);
  });

  it("is not complete before its length is said", async (context) => {
    const graph = target().hawser(context).api;
    const { api } = target();
    const url = await created();
    await api.patch({ url, offset: 0, bytes: whole });
    const status = await graph.get(`${await target().graphPathOf(url)},status`);
    expect(status.json).toMatchObject({ status: "open", file_offset: length });
  });

  it.for(["-1", "3999", "1.5", "ten"])(
    "and would have length %j after 4000 bytes is refused and unchanged",
    async (value) => {
      const { api } = target();
      const url = await created();
      await api.patch({ url, offset: 0, bytes: whole.subarray(0, 4_000) });
      const headers = { "Upload-Length": value };
      const answer = await api.patch({ url, offset: 4_000, bytes: Buffer.alloc(0), headers });
      expect(answer.status, answer.seen).toBeGreaterThanOrEqual(400);
      expect(answer.status, answer.seen).toBeLessThan(500);
      const head = await api.head(url);
      expect(head.header("upload-defer-length")).toBe("1");
      expect(head.offset).toBe(4_000);
    },
  );

  it("and would have more than the app allows is refused with 413", async (context) => {
    const { api } = await target().secondApp(context, { lengthMax: 5_000 });
    const url = await api.create({ "Upload-Defer-Length": "1" });
    const headers = { "Upload-Length": "5001" };
    const tooLong = { url, offset: 0, bytes: whole.subarray(0, 10), headers };
    const declared = await api.patch(tooLong);
    expect(declared.status, declared.seen).toBe(413);
    expect(await api.offsetOf(url)).toBe(0);
    const sent = await api.patch({ url, offset: 0, bytes: whole });
    expect(sent.status, sent.seen).toBe(413);
    expect(await api.offsetOf(url)).toBeLessThanOrEqual(5_000);
  });
});

describe("a length that is known", () => {
  it.for(["9999", "10001", "0"])("is not changed to %s by a later PATCH", async (other) => {
    const { api } = target();
    const url = await created();
    const known = { "Upload-Length": `${length}` };
    await api.patch({ url, offset: 0, bytes: whole.subarray(0, 4_000), headers: known });
    const bytes = whole.subarray(4_000, 5_000);
    const answer = await api.patch({
      url,
      offset: 4_000,
      bytes,
      headers: { "Upload-Length": other },
    });
    expect(answer.status, answer.seen).toBe(400);
    const head = await api.head(url);
    expect(head.header("upload-length")).toBe(`${length}`);
    expect(head.offset).toBe(4_000);
  });

  it("from its creation is not changed either", async () => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": `${length}` });
    const headers = { "Upload-Length": "20000" };
    const answer = await api.patch({ url, offset: 0, bytes: whole, headers });
    expect(answer.status, answer.seen).toBe(400);
    const head = await api.head(url);
    expect(head.header("upload-length")).toBe(`${length}`);
    expect(head.offset).toBe(0);
  });

  it("may be said again as it is", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.create({ "Upload-Length": `${length}` });
    const headers = { "Upload-Length": `${length}` };
    const answer = await api.patch({ url, offset: 0, bytes: whole, headers });
    expect(answer.status, answer.seen).toBe(204);
  });
});
