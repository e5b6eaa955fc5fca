import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { chunked, useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const bytes = patternBytes({ seed: 281, length: 40_000 });
const length = { "Upload-Length": `${bytes.length}` };

async function expectGone(url: URL): Promise<void> {
  const { api } = target();
  const answers = [
    await api.head(url),
    await api.patch({ url, offset: 0, bytes }),
    await api.delete(url),
  ];
  for (const answer of answers) {
    expect([404, 410], answer.seen).toContain(answer.status);
    expect(answer.header("upload-offset")).toBeUndefined();
  }
}

describe("DELETE", () => {
  it("of an upload without bytes is 204, and then it is gone", async () => {
    const { api } = target();
    const url = await api.create(length);
    const answer = await api.delete(url);
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.body).toHaveLength(0);
    await expectGone(url);
  });

  it("of an upload with some bytes is 204, and then it is gone", async () => {
    const { api } = target();
    const url = await api.create(length);
    await api.patch({ url, offset: 0, bytes: bytes.subarray(0, 20_000) });
    expect((await api.delete(url)).status).toBe(204);
    await expectGone(url);
  });

  it("of a completed upload is 204, and then it is gone", async () => {
    const { api } = target();
    const url = await api.upload(bytes);
    const answer = await api.delete(url);
    expect(answer.status, answer.seen).toBe(204);
    await expectGone(url);
  });

  it("of a completed upload takes over from a PATCH that is silent", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.upload(bytes);
    const headers = [...chunked, ["Expect", "100-continue"] as const];
    const upload = { url, offset: bytes.length };
    using silent = await target().beginPatch(context, upload, headers);
    expect((await silent.readInterim())?.status).toBe(100);
    expect((await api.delete(url)).status).toBe(204);
    expect((await silent.answer()).status).toBe(423);
    await expectGone(url);
  });

  it("of an upload that is not there is 404 or 410", async () => {
    const { api } = target();
    const url = await api.create(length);
    const answer = await api.delete(new URL(`${url.href.slice(0, -4)}ffff`));
    expect([404, 410], answer.seen).toContain(answer.status);
  });

  it("leaves the file that was published of it", async (context) => {
    const graph = target().hawser(context).api;
    const { api } = target();
    const url = await api.upload(bytes);
    const answer = await graph.get(await target().graphPathOf(url));
    const file = await graph.publish(answer.text("h"));
    expect((await api.delete(url)).status).toBe(204);
    await expectGone(url);
    expect((await graph.content(file)).equals(bytes)).toBe(true);
  });
});
