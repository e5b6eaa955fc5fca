import { describe, expect, it, type TestContext } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { headerValues, type RawConnection } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import type { TusAnswer } from "./tus-api.ts";
import { declaring, useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const bytes = patternBytes({ seed: 221, length: 10_000 });
const length = { "Upload-Length": `${bytes.length}` };

function expectUncached(answer: TusAnswer): void {
  expect(answer.list("cache-control"), answer.seen).toContain("no-store");
}

describe("HEAD", () => {
  it("tells the offset of an upload that has no bytes yet", async () => {
    const { api } = target();
    const answer = await api.head(await api.create(length));
    expect(answer.status, answer.seen).toBe(200);
    expect(answer.header("upload-offset")).toBe("0");
    expect(answer.body).toHaveLength(0);
  });

  it("tells the offset of an upload that has some", async () => {
    const { api } = target();
    const url = await api.create(length);
    await api.patch({ url, offset: 0, bytes: bytes.subarray(0, 4_321) });
    expect((await api.head(url)).header("upload-offset")).toBe("4321");
  });

  it("tells the offset of an upload that is complete", async () => {
    const { api } = target();
    const answer = await api.head(await api.upload(bytes));
    expect(answer.status, answer.seen).toBe(200);
    expect(answer.header("upload-offset")).toBe("10000");
    expect(answer.header("upload-length")).toBe("10000");
  });

  it("tells the length when it is known, and does not call it deferred then", async () => {
    const { api } = target();
    const answer = await api.head(await api.create(length));
    expect(answer.header("upload-length")).toBe("10000");
    expect(answer.header("upload-defer-length")).toBeUndefined();
  });

  it("is not to be stored by anybody on its way", async () => {
    const { api } = target();
    const url = await api.create(length);
    expectUncached(await api.head(url));
    await api.patch({ url, offset: 0, bytes });
    expectUncached(await api.head(url));
  });

  it("tells no offset of an upload that is not there", async () => {
    const { api } = target();
    const url = await api.create(length);
    const answer = await api.head(new URL(`${url.href.slice(0, -4)}ffff`));
    expect([403, 404, 410], answer.seen).toContain(answer.status);
    expect(answer.header("upload-offset")).toBeUndefined();
  });

  it("tells no offset of what is not even the name of an upload", async () => {
    const { api } = target();
    const answer = await api.head(new URL(`${api.url.href}/no-such-upload`));
    expect([403, 404, 410], answer.seen).toContain(answer.status);
    expect(answer.header("upload-offset")).toBeUndefined();
  });

  it("tells no metadata of an upload that has none", async () => {
    const { api } = target();
    expect((await api.head(await api.create(length))).header("upload-metadata")).toBeUndefined();
  });
});

describe("HEAD while a PATCH is being sent", { timeout: 90_000 }, () => {
  /** More than a trickle, which would wait long until it is made durable. */
  const much = patternBytes({ seed: 222, length: 400_000 });
  const half = much.subarray(0, 200_000);
  const length = { "Upload-Length": `${much.length}` };

  /** A PATCH that brought half of what it promised and then fell silent, still connected. */
  async function stalledPatch(context: TestContext, url: URL): Promise<RawConnection> {
    const onlooker = await target().onlooker(context);
    const upload = { url, offset: 0 };
    const stalled = await target().beginPatch(context, upload, declaring(much.length));
    await stalled.write(half);
    const moved = async () => ((await onlooker.offsetOf(url)) === half.length ? true : undefined);
    // The last of it may be one all the same.
    await eventually(moved, { what: "the first half to be durable", timeoutMs: 45_000 });
    return stalled;
  }

  it("ends that, so that the offset it tells can be used", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.create(length);
    using stalled = await stalledPatch(context, url);
    await stalled.write(much.subarray(200_000, 201_000));
    const offset = await api.offsetOf(url);
    await stalled.write(much.subarray(201_000, 202_000));
    const rest = much.subarray(offset);
    const answer = await api.patch({ url, offset, bytes: rest });
    expect(answer.status, answer.seen).toBe(204);
    const taken = (await stalled.readResponse()) ?? expect.unreachable("it has no answer");
    expect(taken.status).toBe(423);
    // Else two senders of one upload would take it from each other as fast as they can ask.
    expect(headerValues(taken, "retry-after")).toEqual(["1"]);
    expect((await target().content(url)).equals(much)).toBe(true);
  });

  it("disturbs nobody where its token may not append", async (context) => {
    target().hawser(context);
    const url = await target().api.create(length);
    // It was asked how far it is by such a token.
    using stalled = await stalledPatch(context, url);
    await stalled.write(much.subarray(200_000));
    expect((await stalled.readResponse())?.status).toBe(204);
    expect((await target().content(url)).equals(much)).toBe(true);
  });
});
