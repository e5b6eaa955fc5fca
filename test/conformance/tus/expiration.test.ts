import { describe, expect, it } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import type { TusAnswer } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const bytes = patternBytes({ seed: 271, length: 1_000 });
const length = { "Upload-Length": `${bytes.length}` };

/** A date as RFC 9110 wants it, section 5.6.7, and one that is still to come. */
function expectExpires(answer: TusAnswer): number {
  const text = answer.header("upload-expires") ?? "";
  expect(text, answer.seen).toMatch(
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  );
  expect(new Date(text).toUTCString()).toBe(text);
  expect(Date.parse(text)).toBeGreaterThan(Date.now());
  return Date.parse(text);
}

describe("Upload-Expires", () => {
  it("is in the answer that creates an upload", async () => {
    expectExpires(await target().api.post(length));
  });

  it("is in the answer to every PATCH after which the upload is unfinished", async () => {
    const { api } = target();
    const url = await api.create(length);
    for (const offset of [0, 300, 600]) {
      const piece = bytes.subarray(offset, offset + 300);
      expectExpires(await api.patch({ url, offset, bytes: piece }));
    }
  });

  it("is in the answer to HEAD while the upload is unfinished", async (context) => {
    target().hawser(context);
    const { api } = target();
    expectExpires(await api.head(await api.create(length)));
  });

  it("is not told of an upload that is finished", async () => {
    const { api } = target();
    const url = await api.create(length);
    const answer = await api.patch({ url, offset: 0, bytes });
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.header("upload-expires")).toBeUndefined();
    expect((await api.head(url)).header("upload-expires")).toBeUndefined();
  });

  it("is not told when the creation brought all bytes", async () => {
    const { api } = target();
    const headers = { ...length, "Content-Type": "application/offset+octet-stream" };
    const answer = await api.post(headers, bytes);
    expect(answer.status, answer.seen).toBe(201);
    expect(answer.header("upload-expires")).toBeUndefined();
  });
});

describe("an upload whose time is over", () => {
  it("is 410 for HEAD, PATCH and DELETE, without an offset", async (context) => {
    const { api } = await target().secondApp(context, { lifetimeSeconds: 1 });
    const url = await api.create(length);
    const over = await eventually(
      async () => {
        const answer = await api.head(url);
        return answer.status === 200 ? undefined : answer;
      },
      { what: "its time to be over", intervalMs: 100 },
    );
    for (const answer of [
      over,
      await api.patch({ url, offset: 0, bytes }),
      await api.delete(url),
    ]) {
      expect(answer.status, answer.seen).toBe(410);
      expect(answer.header("upload-offset")).toBeUndefined();
    }
  });

  it("has it renewed by every PATCH", async (context) => {
    const { api } = await target().secondApp(context, { lifetimeSeconds: 60 });
    const created = await api.post(length);
    const first = expectExpires(created);
    const url = api.locationOf(created);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const answer = await api.patch({ url, offset: 0, bytes: bytes.subarray(0, 300) });
    expect(expectExpires(answer)).toBeGreaterThan(first);
  });
});
