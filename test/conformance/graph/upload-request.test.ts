import { describe, expect, it } from "vitest";
import { crc32 } from "node:zlib";

import { patternBytes } from "../../support/seeded.ts";
import { expectChallenge, expectGraphHeaders, expectUploadError } from "./expect-error.ts";
import { malformed, noToken, unknownToken } from "./expect-error.ts";
import { uploadPath } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const ten = patternBytes({ seed: 1, length: 10 });

function crcText(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

async function storedCrc(id: string): Promise<string> {
  return (await target().api.status(id, "crc32")).text("crc32");
}

describe("uploading: the token", () => {
  it("in the header is required: one in the query does not count", async () => {
    const { api } = target();
    const id = await api.start();
    const headers = { file_offset: "0" };
    const path = `${uploadPath(id)}&access_token=${api.token}`;
    const answer = await api.request({ method: "POST", path, headers, body: ten });
    expectUploadError(answer, noToken);
    expectChallenge(answer, "invalid_request");
    expect(await api.offset(id)).toBe(0);
  });

  it("in the body does not count: the body is the file", async () => {
    const { api } = target();
    const body = Buffer.from(`access_token=${api.token}`);
    const id = await api.start({ file_length: body.length });
    const answer = await api.request({
      method: "POST",
      path: uploadPath(id),
      headers: { file_offset: "0", "Content-Type": "application/x-www-form-urlencoded" },
      body,
    });
    expectUploadError(answer, noToken);
    const kept = await api.append({ id, offset: 0, bytes: body });
    expect(Object.keys(kept.json)).toEqual(["h"]);
    expect(await storedCrc(id)).toBe(crcText(body));
  });

  it("that nobody knows is 401 with code 190 in both envelopes", async () => {
    const { api } = target();
    const id = await api.start();
    const stranger = api.as({ token: "a-token-nobody-knows" });
    const answer = await stranger.append({ id, offset: 0, bytes: ten });
    expectUploadError(answer, unknownToken);
    expectChallenge(answer, "invalid_token");
    expect(await api.offset(id)).toBe(0);
  });

  it.for(["OAuth", "Bearer", "oauth", "BEARER"])("is read after the scheme %s", async (scheme) => {
    const { api } = target();
    const id = await api.start();
    const headers = { Authorization: `${scheme} ${api.token}` };
    const answer = await api.append({ id, offset: 0, bytes: ten, headers });
    expect(answer.status, answer.body.toString()).toBe(200);
  });
});

describe("uploading: file_offset", () => {
  it("missing is refused with the proxies that drop it and the cure", async () => {
    const { api } = target();
    const id = await api.start();
    const answer = await api.authorized({ method: "POST", path: uploadPath(id), body: ten });
    expectUploadError(answer, { ...malformed, message: /file_offset/ });
    const { message } = answer.record("error");
    expect(message).toMatch(/nginx/);
    expect(message).toMatch(/underscores_in_headers|file-offset/);
    expect(await api.offset(id)).toBe(0);
  });

  const bad = ["", "-1", "+0", "0.0", "1e1", "0x0", "00", "ten", "0,0", "0;", "9".repeat(17)];
  it.for(bad)("%j is no strict decimal and is refused", async (file_offset) => {
    const { api } = target();
    const id = await api.start();
    const answer = await api.authorized({
      method: "POST",
      path: uploadPath(id),
      headers: { file_offset },
      body: ten,
    });
    expectUploadError(answer, { ...malformed, message: /file_offset/ });
    expect(await api.offset(id)).toBe(0);
  });

  it("may be spelt file-offset", async () => {
    const { api } = target();
    const id = await api.start();
    for (const [offset, end] of [
      ["0", 6],
      ["6", 10],
    ] as const) {
      const answer = await api.authorized({
        method: "POST",
        path: uploadPath(id),
        headers: { "file-offset": offset },
        body: ten.subarray(Number(offset), end),
      });
      expect(answer.status, answer.body.toString()).toBe(200);
    }
    expect(await storedCrc(id)).toBe(crcText(ten));
  });

  it("is read in any case", async () => {
    const { api } = target();
    const id = await api.start();
    const answer = await api.authorized({
      method: "POST",
      path: uploadPath(id),
      headers: { FILE_OFFSET: "0" },
      body: ten,
    });
    expect(answer.status, answer.body.toString()).toBe(200);
  });

  it("in both spellings that disagree is refused", async () => {
    const { api } = target();
    const id = await api.start();
    const headers = { "file-offset": "5" };
    expectUploadError(await api.append({ id, offset: 0, bytes: ten, headers }), malformed);
    expect(await api.offset(id)).toBe(0);
  });

  it("in the query does not count", async () => {
    const { api } = target();
    const id = await api.start();
    const path = `${uploadPath(id)}&file_offset=0`;
    expectUploadError(await api.authorized({ method: "POST", path, body: ten }), malformed);
  });
});

describe("uploading: the body is the raw bytes whatever Content-Type says", () => {
  const form = "access_token=x&file_offset=3&%zz=%%";
  const parts = '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n';
  const cases: readonly (readonly [type: string | undefined, body: string])[] = [
    ["application/x-www-form-urlencoded", form],
    ["multipart/form-data", parts],
    ["multipart/form-data; boundary=b", parts],
    ["multipart/form-data; boundary=", parts],
    ["application/json", '{"file_length": 1, broken'],
    ["application/json; charset=utf-16", "\u00ff\u00fe"],
    ["image/jpeg", "no picture"],
    ["text/plain; charset=latin1", "größe\r\n\r\n"],
    ["message/http", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"],
    ["not a media type at all", "bytes"],
    [undefined, "no type"],
  ];

  it.for(cases)("Content-Type %s", async ([type, text]) => {
    const { api } = target();
    const bytes = Buffer.from(text);
    const id = await api.start({ file_length: bytes.length });
    const headers: Record<string, string> = type === undefined ? {} : { "Content-Type": type };
    const answer = await api.append({ id, offset: 0, bytes, headers });
    expect(Object.keys(answer.json), answer.body.toString()).toEqual(["h"]);
    expect(await storedCrc(id)).toBe(crcText(bytes));
    const fileId = await api.publish(answer.text("h"));
    expect((await api.content(fileId)).equals(bytes)).toBe(true);
  });
});

describe("uploading: the answers", () => {
  it("a body read whole that leaves the upload incomplete answers id and file_offset", async () => {
    const { api } = target();
    const id = await api.start();
    const answer = await api.append({ id, offset: 0, bytes: ten.subarray(0, 4) });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ id, file_offset: 4 });
    expectGraphHeaders(answer);
  });

  it("the body that completes the upload answers h alone", async () => {
    const { api } = target();
    const id = await api.start();
    await api.append({ id, offset: 0, bytes: ten.subarray(0, 4) });
    const answer = await api.append({ id, offset: 4, bytes: ten.subarray(4) });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual(["h"]);
    expect(answer.text("h")).not.toBe("");
    expectGraphHeaders(answer);
  });

  it("an empty body at offset = length repeats the same handle, again and again", async () => {
    const { api } = target();
    const id = await api.start();
    const { json } = await api.append({ id, offset: 0, bytes: ten });
    for (let repeat = 0; repeat < 3; repeat += 1) {
      const answer = await api.append({ id, offset: 10, bytes: Buffer.alloc(0) });
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual(json);
    }
  });

  it("an empty body before completion changes nothing and says where the upload stands", async () => {
    const { api } = target();
    const id = await api.start();
    const empty = Buffer.alloc(0);
    expect((await api.append({ id, offset: 0, bytes: empty })).json).toEqual({
      id,
      file_offset: 0,
    });
    await api.append({ id, offset: 0, bytes: ten.subarray(0, 4) });
    const answer = await api.append({ id, offset: 4, bytes: empty });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ id, file_offset: 4 });
  });

  it("any split is allowed, down to one byte a request", async () => {
    const { api } = target();
    const id = await api.start();
    for (let offset = 0; offset < 9; offset += 1) {
      const answer = await api.append({ id, offset, bytes: ten.subarray(offset, offset + 1) });
      expect(answer.json).toEqual({ id, file_offset: offset + 1 });
    }
    const last = await api.append({ id, offset: 9, bytes: ten.subarray(9) });
    expect(Object.keys(last.json)).toEqual(["h"]);
    expect((await api.content(await api.publish(last.text("h")))).equals(ten)).toBe(true);
  });

  it("pieces of 1,000,000 bytes join to the file", async () => {
    const { api } = target();
    const bytes = patternBytes({ seed: 2, length: 3_400_001 });
    const id = await api.start({ file_length: bytes.length });
    for (let offset = 0; offset < bytes.length; offset += 1_000_000) {
      const piece = bytes.subarray(offset, offset + 1_000_000);
      const answer = await api.append({ id, offset, bytes: piece });
      expect(answer.status, answer.body.toString()).toBe(200);
    }
    expect(await storedCrc(id)).toBe(crcText(bytes));
  });
});
