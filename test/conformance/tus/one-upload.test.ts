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
