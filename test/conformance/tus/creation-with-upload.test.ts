import { describe, expect, it } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { headerValue } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import { offsetType } from "./tus-api.ts";
import { chunked, declaring, useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const length = 10_000;
const whole = patternBytes({ seed: 251, length });
const headers = { "Upload-Length": `${length}`, "Content-Type": offsetType };

describe("POST with bytes", () => {
  it("is answered with the offset after all of them", async () => {
    const { api } = target();
    const answer = await api.post(headers, whole);
    expect(answer.status, answer.seen).toBe(201);
    expect(answer.header("upload-offset")).toBe(`${length}`);
    const url = api.locationOf(answer);
    expect(await api.offsetOf(url)).toBe(length);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("may bring only the first of them", async () => {
    const { api } = target();
    const answer = await api.post(headers, whole.subarray(0, 4_321));
    expect(answer.status, answer.seen).toBe(201);
    expect(answer.header("upload-offset")).toBe("4321");
    const url = api.locationOf(answer);
    const rest = await api.patch({ url, offset: 4_321, bytes: whole.subarray(4_321) });
    expect(rest.offset).toBe(length);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("may bring none of them", async () => {
    const { api } = target();
    const answer = await api.post(headers);
    expect(answer.status, answer.seen).toBe(201);
    expect(answer.header("upload-offset") ?? "0").toBe("0");
    expect(await api.offsetOf(api.locationOf(answer))).toBe(0);
  });

  it("may bring them before their number is known", async () => {
    const { api } = target();
    const answer = await api.post(
      { "Upload-Defer-Length": "1", "Content-Type": offsetType },
      whole.subarray(0, 4_321),
    );
    expect(answer.status, answer.seen).toBe(201);
    expect(answer.header("upload-offset")).toBe("4321");
    const url = api.locationOf(answer);
    expect((await api.head(url)).header("upload-defer-length")).toBe("1");
    const last = { url, offset: 4_321, bytes: whole.subarray(4_321) };
    await api.patch({ ...last, headers: { "Upload-Length": `${length}` } });
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("may bring them in chunks", async (context) => {
    const { api } = target();
    const wanted = [["Upload-Length", `${length}`] as const, ...chunked];
    const request = { method: "POST", url: api.url };
    using connection = await target().begin(context, request, wanted);
    await connection.sendChunk(whole.subarray(0, 5_000));
    await connection.sendChunk(whole.subarray(5_000));
    await connection.sendLastChunk();
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(201);
    expect(headerValue(answer, "upload-offset")).toBe(`${length}`);
  });

  it("is asked for its bytes when it waits for that", async (context) => {
    const { api } = target();
    const request = { method: "POST", url: api.url };
    using connection = await target().begin(context, request, [
      ["Upload-Length", `${length}`],
      ["Expect", "100-continue"],
      ...declaring(length),
    ]);
    expect((await connection.readInterim())?.status).toBe(100);
    await connection.write(whole);
    expect((await connection.answer()).status).toBe(201);
  });

  it("is refused before its bytes are sent when it waits for that", async (context) => {
    const { api } = target();
    const request = { method: "POST", url: api.url };
    using connection = await target().begin(context, request, [
      ["Expect", "100-continue"],
      ...declaring(length),
    ]);
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(400);
    expect(answer.interim).toEqual([]);
  });

  it("more of them than Upload-Length is refused", async () => {
    const { api } = target();
    const answer = await api.post(headers, Buffer.concat([whole, Buffer.from("x")]));
    expect(answer.status, answer.seen).toBeGreaterThanOrEqual(400);
    expect(answer.status, answer.seen).toBeLessThan(500);
  });

  it("that fails once its upload is there tells where that is, to be gone on with", async (context) => {
    target().hawser(context);
    const { api } = target();
    const request = { method: "POST", url: api.url };
    const wanted = [["Upload-Length", `${length}`] as const, ...declaring(length)];
    using connection = await target().begin(context, request, wanted);
    await connection.write(whole.subarray(0, 4_321));
    connection.halfClose();
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(409);
    expect(headerValue(answer, "link")).toContain("upload:");
    const url = new URL(headerValue(answer, "location") ?? "", api.url);
    expect(await api.offsetOf(url)).toBe(4_321);
    const rest = await api.patch({ url, offset: 4_321, bytes: whole.subarray(4_321) });
    expect(rest.offset).toBe(length);
  });

  it("that are not what their checksum says leaves no upload, and tells of none", async (context) => {
    target().hawser(context);
    const { api } = target();
    const checksum = { "Upload-Checksum": `sha1 ${Buffer.alloc(20).toString("base64")}` };
    const answer = await api.post({ ...headers, ...checksum }, whole);
    expect(answer.status, answer.seen).toBe(460);
    expect(answer.header("location")).toBeUndefined();
    expect(answer.header("link")).toBeUndefined();
  });

  it("of another type is refused with 415, and nothing is made", async (context) => {
    target().hawser(context);
    const { api } = target();
    const answer = await api.post({ ...headers, "Content-Type": "text/plain" }, whole);
    expect(answer.status, answer.seen).toBe(415);
    expect(answer.header("location")).toBeUndefined();
  });

  it("that is cut leaves an upload with the bytes that came", async (context) => {
    const graph = target().hawser(context).api;
    const name = `cut-${crypto.randomUUID()}`;
    const request = { method: "POST", url: target().api.url };
    const connection = await target().begin(context, request, [
      ["Upload-Length", `${length}`],
      ["Upload-Metadata", `filename ${Buffer.from(name).toString("base64")}`],
      ...declaring(length),
    ]);
    await connection.write(whole.subarray(0, 4_321));
    connection.close();
    const found = async () => {
      const list = await graph.get(`/v21.0/${graph.appId}/uploads?limit=100`);
      return list
        .records("data")
        .find((upload) => upload.file_name === name && upload.file_offset === 4_321);
    };
    await eventually(found, { what: "the bytes that came to count" });
  });
});
