import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { bodyTooLong, expectUploadError, staleOffset } from "./expect-error.ts";
import { uploadPath } from "./graph-api.ts";
import { chunked, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 10_000;
const whole = patternBytes({ seed: 4, length });
// A number that could not stand in a message by accident.
const current = 4321;

async function startedUpload(): Promise<string> {
  const { api } = target();
  const id = await api.start({ file_length: length });
  await api.append({ id, offset: 0, bytes: whole.subarray(0, current) });
  return id;
}

/** Whatever was tried before, the rest can still be sent and the bytes are the right ones. */
async function expectCompletes(id: string): Promise<void> {
  const { api } = target();
  const offset = await api.offset(id);
  const answer = await api.append({ id, offset, bytes: whole.subarray(offset) });
  expect(Object.keys(answer.json), answer.body.toString()).toEqual(["h"]);
  const content = await api.content(await api.publish(answer.text("h")));
  expect(content.equals(whole)).toBe(true);
}

describe("a file_offset that is not the current one", () => {
  it.for([0, 4320, 4322, length, length + 1, 9_007_199_254_740_991])(
    "%d is 412, tells the true offset and changes nothing",
    async (offset) => {
      const { api } = target();
      const id = await startedUpload();
      const answer = await api.append({ id, offset, bytes: Buffer.from("x") });
      expectUploadError(answer, staleOffset);
      expect(answer.body.toString()).toMatch(/\b4321\b/);
      expect(await api.offset(id)).toBe(current);
      await expectCompletes(id);
    },
  );

  it("is 412 for an empty body, too", async () => {
    const { api } = target();
    const id = await startedUpload();
    const answer = await api.append({ id, offset: 7, bytes: Buffer.alloc(0) });
    expectUploadError(answer, staleOffset);
  });

  it("is 412 after completion", async () => {
    const { api } = target();
    const id = await startedUpload();
    await expectCompletes(id);
    const answer = await api.append({ id, offset: 0, bytes: whole });
    expectUploadError(answer, staleOffset);
    expect(answer.body.toString()).toMatch(/\b10000\b/);
  });

  it("is judged before the length of the body", async () => {
    const { api } = target();
    const id = await startedUpload();
    const bytes = Buffer.alloc(length * 2);
    expectUploadError(await api.append({ id, offset: 1, bytes }), staleOffset);
  });
});

describe("more bytes than file_length", () => {
  it("known from Content-Length are refused with the offset unchanged", async () => {
    const { api } = target();
    const id = await startedUpload();
    const bytes = Buffer.concat([whole.subarray(current), Buffer.from("x")]);
    expectUploadError(await api.append({ id, offset: current, bytes }), bodyTooLong);
    expect(await api.offset(id)).toBe(current);
    await expectCompletes(id);
  });

  it("known from Content-Length are refused at the first request, too", async () => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const bytes = Buffer.concat([whole, whole]);
    expectUploadError(await api.append({ id, offset: 0, bytes }), bodyTooLong);
    expect(await api.offset(id)).toBe(0);
    await expectCompletes(id);
  });

  it("after completion are refused, and the handle stays the same", async () => {
    const { api } = target();
    const id = await api.start({ file_length: length });
    const { json } = await api.append({ id, offset: 0, bytes: whole });
    const bytes = Buffer.from("x");
    expectUploadError(await api.append({ id, offset: length, bytes }), bodyTooLong);
    const repeated = await api.append({ id, offset: length, bytes: Buffer.alloc(0) });
    expect(repeated.json).toEqual(json);
  });

  it("that come chunked are refused, never complete the upload and never move it down", async (context) => {
    const { api } = target();
    const id = await startedUpload();
    const append = { id, offset: current };
    using connection = await target().beginAppend(context, append, chunked);
    await connection.sendChunk(whole.subarray(current));
    await connection.sendChunk(Buffer.from("x"));
    await connection.sendLastChunk();
    const answer = await connection.answer();
    expect(answer.status).toBe(400);
    const body = answer.body.toString();
    expect(JSON.parse(body)).toMatchObject({
      error: { type: "OAuthException", code: 100 },
      debug_info: { type: "PartialRequestError", retriable: false },
    });
    const status = await api.status(id, "status");
    expect(status.json.status).toBe("open");
    expect(status.number("file_offset")).toBeGreaterThanOrEqual(current);
    expect(status.number("file_offset")).toBeLessThan(length);
    await expectCompletes(id);
  });
});

describe("a chunked body", () => {
  it("of the right length completes the upload", async (context) => {
    const { api } = target();
    const id = await startedUpload();
    const append = { id, offset: current };
    using connection = await target().beginAppend(context, append, chunked);
    await connection.sendChunk(whole.subarray(current, 5000));
    await connection.sendChunk(whole.subarray(5000));
    await connection.sendLastChunk();
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(200);
    const h: unknown = JSON.parse(answer.body.toString());
    const repeated = await api.append({ id, offset: length, bytes: Buffer.alloc(0) });
    expect(h).toEqual(repeated.json);
  });

  it("of no bytes at all is an empty body", async (context) => {
    const { api } = target();
    const id = await startedUpload();
    const append = { id, offset: current };
    using connection = await target().beginAppend(context, append, chunked);
    await connection.sendLastChunk();
    const answer = await connection.answer();
    expect(JSON.parse(answer.body.toString())).toEqual({ id, file_offset: current });
    expect((await api.get(uploadPath(id))).number("file_offset")).toBe(current);
  });
});
