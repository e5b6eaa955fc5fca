import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import type { TusAnswer } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const bytes = patternBytes({ seed: 321, length: 1_000 });
const length = { "Upload-Length": `${bytes.length}` };

/** Plain text that says what is wrong, except where HEAD has no room for it. */
function expectRefusal(answer: TusAnswer, status: number, text = true): void {
  expect(answer.status, answer.seen).toBe(status);
  expect(answer.header("tus-resumable")).toBe("1.0.0");
  expect(answer.header("content-type")).toBe("text/plain; charset=utf-8");
  expect(answer.header("cache-control")).toBe("no-store");
  if (text) expect(answer.body.toString()).toMatch(/^\S.+[.]\n$/);
}

describe("a token", () => {
  it.for([
    ["that is missing", undefined, /^Bearer$/],
    ["that nobody knows", "nobody-knows-it", /invalid_token/],
  ] as const)("%s is refused with 401 for everything", async ([, token, challenge], context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.create(length);
    const stranger = api.withToken(token);
    const answers = [
      await stranger.post(length),
      await stranger.patch({ url, offset: 0, bytes }),
      await stranger.delete(url),
    ];
    for (const answer of answers) {
      expectRefusal(answer, 401);
      expect(answer.header("www-authenticate")).toMatch(challenge);
    }
    expectRefusal(await stranger.head(url), 401, false);
    expect(await api.offsetOf(url)).toBe(0);
  });

  it("may be sent as OAuth, too", async (context) => {
    target().hawser(context);
    const { api } = target();
    const headers = { ...length, Authorization: `OAuth ${api.token ?? ""}` };
    expect((await api.post(headers)).status).toBe(201);
  });

  it("does not count in the query", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = new URL(`?access_token=${api.token ?? ""}`, api.url);
    const request = { method: "POST", url, headers: length };
    expectRefusal(await api.withToken(undefined).request(request), 401);
  });

  it("without the scope for what is asked is refused with 403", async (context) => {
    const graph = target().hawser(context);
    const { api } = target();
    const url = await api.create(length);
    const reader = api.withToken((await graph.scopedApi(context, ["read"])).token);
    const writer = api.withToken((await graph.scopedApi(context, ["create", "append"])).token);
    expectRefusal(await reader.post(length), 403);
    expectRefusal(await reader.patch({ url, offset: 0, bytes }), 403);
    expectRefusal(await reader.delete(url), 403);
    expectRefusal(await writer.delete(url), 403);
    expectRefusal(await writer.head(url), 403, false);
    expect((await reader.head(url)).offset).toBe(0);
    expect((await writer.patch({ url, offset: 0, bytes })).status).toBe(204);
  });

  it("that may only create brings no bytes along", async (context) => {
    const graph = target().hawser(context);
    const { token } = await graph.scopedApi(context, ["create"]);
    const creator = target().api.withToken(token);
    const headers = { ...length, "Content-Type": "application/offset+octet-stream" };
    expectRefusal(await creator.post(headers, bytes), 403);
    expect((await creator.post(length)).status).toBe(201);
  });
});

describe("another app's upload", () => {
  it("is not there", async (context) => {
    const theirs = await target().secondApp(context);
    const url = await theirs.api.create(length);
    const { api } = target();
    expectRefusal(await api.head(url), 404, false);
    expectRefusal(await api.patch({ url, offset: 0, bytes }), 404);
    expectRefusal(await api.delete(url), 404);
    expect(await theirs.api.offsetOf(url)).toBe(0);
  });
});

describe("a refusal", () => {
  it("says in plain text what to do next", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.create(length);
    const stale = await api.patch({ url, offset: 7, bytes });
    expectRefusal(stale, 409);
    expect(stale.body.toString()).toMatch(/Go on from 0\./);
    const type = await api.patch({ url, offset: 0, bytes, headers: { "Content-Type": "a/b" } });
    expectRefusal(type, 415);
    expect(type.body.toString()).toContain("Content-Type: application/offset+octet-stream");
    const none = await api.post({});
    expectRefusal(none, 400);
    expect(none.body.toString()).toContain("Upload-Defer-Length: 1");
  });

  it("of a method that is none of the protocol's is 405 and names those that are", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.create(length);
    const put = await api.request({ method: "PUT", url });
    expectRefusal(put, 405);
    expect(put.list("allow")).toEqual(["HEAD", "PATCH", "DELETE", "OPTIONS"]);
    const list = await api.request({ method: "DELETE", url: api.url });
    expectRefusal(list, 405);
    expect(list.list("allow")).toEqual(["POST", "OPTIONS"]);
  });
});
