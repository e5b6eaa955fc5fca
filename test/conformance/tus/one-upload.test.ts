import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { metadataOf } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const length = 40_000;
const bytes = patternBytes({ seed: 331, length });

describe("an upload that was created by tus", () => {
  it("is Graph's, too, and may go on there", async (context) => {
    const graph = target().hawser(context).api;
    const { api } = target();
    const metadata = metadataOf({ filename: "a b.pdf", filetype: "application/pdf" });
    const created = { "Upload-Length": `${length}`, "Upload-Metadata": metadata };
    const url = await api.create(created);
    await api.patch({ url, offset: 0, bytes: bytes.subarray(0, 15_000) });
    const path = await target().graphPathOf(url);
    const id = decodeURI(path.slice("/v21.0/".length).replace(/&fields=h$/, ""));
    const status = await graph.status(id, "file_length,status,url");
    expect(status.json).toMatchObject({
      id,
      file_offset: 15_000,
      file_length: length,
      status: "open",
      url: url.href,
    });
    const rest = { id, offset: 15_000, bytes: bytes.subarray(15_000) };
    const handle = (await graph.append(rest)).text("h");
    expect((await graph.content(await graph.publish(handle))).equals(bytes)).toBe(true);
    expect(await api.offsetOf(url)).toBe(length);
    // The handle is the same wherever it is asked for.
    expect((await graph.get(path)).text("h")).toBe(handle);
  });
});

describe("every answer about an upload", () => {
  it("tells where Graph has it, refusals and the last one, too", async (context) => {
    target().hawser(context);
    const { api } = target();
    const created = await api.post({ "Upload-Length": `${length}` });
    const url = api.locationOf(created);
    const link = created.header("link");
    expect(link).toContain("upload:");
    const answers = [
      await api.head(url),
      await api.patch({ url, offset: 7, bytes }),
      await api.patch({ url, offset: 0, bytes: bytes.subarray(0, 10) }),
      await api.delete(url),
      await api.head(url),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 409, 204, 204, 410]);
    for (const answer of answers) expect(answer.header("link"), answer.seen).toBe(link);
  });

  it("tells nothing of it to who may not see it", async (context) => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": `${length}` });
    const { api: stranger } = await target().secondApp(context);
    for (const other of [stranger, api.withToken(undefined)]) {
      const answer = await other.head(url);
      expect([401, 404]).toContain(answer.status);
      expect(answer.header("link")).toBeUndefined();
    }
  });
});

describe("an upload that was created by Graph", () => {
  it("is tus's, too, and may go on there", async (context) => {
    const graph = target().hawser(context).api;
    const { api } = target();
    const id = await graph.start({ file_name: "größe.pdf", file_length: length });
    await graph.append({ id, offset: 0, bytes: bytes.subarray(0, 15_000) });
    const url = new URL((await graph.status(id, "url")).text("url"));
    const head = await api.head(url);
    expect(head.offset, head.seen).toBe(15_000);
    expect(head.header("upload-length")).toBe(`${length}`);
    const metadata = metadataOf({ filename: "größe.pdf", filetype: "application/pdf" });
    expect(head.header("upload-metadata")).toBe(metadata);
    const answer = await api.patch({ url, offset: 15_000, bytes: bytes.subarray(15_000) });
    expect(answer.status, answer.seen).toBe(204);
    const status = await graph.status(id, "status,h");
    expect(status.json).toMatchObject({ status: "complete", file_offset: length });
    const file = await graph.publish(status.text("h"));
    expect((await graph.content(file)).equals(bytes)).toBe(true);
  });
});
