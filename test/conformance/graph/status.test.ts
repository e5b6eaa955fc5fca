import { describe, expect, it } from "vitest";
import { crc32 } from "node:zlib";

import { patternBytes } from "../../support/seeded.ts";
import { expectChallenge, expectGraphHeaders, expectUploadError, noToken } from "./expect-error.ts";
import { unknownToken } from "./expect-error.ts";
import { uploadPath } from "./graph-api.ts";
import { declaring, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const ten = patternBytes({ seed: 21, length: 10 });

describe("asking where an upload stands", () => {
  it("answers exactly id and file_offset, a number", async () => {
    const { api } = target();
    const id = await api.start();
    for (const offset of [0, 1, 2]) {
      const answer = await api.status(id);
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({ id, file_offset: offset });
      expectGraphHeaders(answer);
      await api.append({ id, offset, bytes: ten.subarray(offset, offset + 1) });
    }
  });

  it("answers file_offset = file_length after completion", async () => {
    const { api } = target();
    const id = await api.start();
    await api.append({ id, offset: 0, bytes: ten });
    expect((await api.status(id)).json).toEqual({ id, file_offset: 10 });
  });

  it("takes the token from the header only", async () => {
    const { api } = target();
    const id = await api.start();
    const path = `${uploadPath(id)}&access_token=${api.token}`;
    const inQuery = await api.request({ method: "GET", path });
    expectUploadError(inQuery, noToken);
    expectChallenge(inQuery, "invalid_request");
    expectUploadError(await api.as({ token: "nobody-knows-it" }).status(id), unknownToken);
  });

  it("never goes down, and asking does not disturb an upload that is still flowing", async (context) => {
    const { api } = target();
    const length = 2_000_000;
    const bytes = patternBytes({ seed: 22, length });
    const id = await api.start({ file_length: length });
    const append = { id, offset: 0 };
    using connection = await target().beginAppend(context, append, declaring(length));
    const seen = [0];
    for (let sent = 0; sent < length; sent += 100_000) {
      await connection.write(bytes.subarray(sent, sent + 100_000));
      const [one, two] = await Promise.all([api.offset(id), api.offset(id)]);
      expect(Math.max(one, two)).toBeLessThanOrEqual(sent + 100_000);
      expect(Math.min(one, two)).toBeGreaterThanOrEqual(Math.max(...seen));
      seen.push(one, two);
    }
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(200);
    const published = await api.append({ id, offset: length, bytes: Buffer.alloc(0) });
    const content = await api.content(await api.publish(published.text("h")));
    expect(content.equals(bytes)).toBe(true);
  });
});

describe("asking for further fields", () => {
  it("adds file_length, status, crc32, expires_at and url to an open upload", async () => {
    const { api } = target();
    const id = await api.start();
    await api.append({ id, offset: 0, bytes: ten.subarray(0, 6) });
    const wanted = ["file_length", "status", "crc32", "expires_at", "url"];
    const answer = await api.status(id, wanted.join(","));
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json).sort()).toEqual([...wanted, "id", "file_offset"].sort());
    expect(answer.json).toMatchObject({ id, file_offset: 6, file_length: 10, status: "open" });
    const expected = crc32(ten.subarray(0, 6)).toString(16).padStart(8, "0");
    expect(answer.json.crc32).toBe(expected);
  });

  it("adds only what was asked for", async () => {
    const { api } = target();
    const id = await api.start();
    const answer = await api.status(id, "file_length");
    expect(answer.json).toEqual({ id, file_offset: 0, file_length: 10 });
  });

  it("accepts the two standard fields by name, and an encoded comma", async () => {
    const { api } = target();
    const id = await api.start();
    expect((await api.status(id, "id,file_offset")).json).toEqual({ id, file_offset: 0 });
    const encoded = await api.status(id, "file_length%2Cstatus");
    expect(encoded.json).toEqual({ id, file_offset: 0, file_length: 10, status: "open" });
  });

  it("gives crc32 as eight hexadecimal digits, of no bytes as zeros", async () => {
    const { api } = target();
    const id = await api.start();
    expect((await api.status(id, "crc32")).json.crc32).toBe("00000000");
  });

  it("gives the time an upload expires, which lies ahead", async () => {
    const { api } = target();
    const { expires_at } = (await api.status(await api.start(), "expires_at")).json;
    const time =
      typeof expires_at === "number" ? expires_at * 1000 : Date.parse(String(expires_at));
    expect(time).toBeGreaterThan(Date.now());
  });

  it("gives the url of the same upload for standard clients, under /uploads/", async () => {
    const { api } = target();
    const id = await api.start();
    const payload = Buffer.from(/upload:([^?]+)/.exec(id)?.[1] ?? "", "base64").toString();
    const uuid = /^1:attachment:([^?]+)/.exec(payload)?.[1] ?? "no uuid";
    const { url } = (await api.status(id, "url")).json;
    expect(url).toMatch(/\/uploads\//);
    expect(url).toContain(uuid);
  });

  it("adds h once the upload is complete, and not before", async () => {
    const { api } = target();
    const id = await api.start();
    expect((await api.status(id, "h")).json).toEqual({ id, file_offset: 0 });
    const { json } = await api.append({ id, offset: 0, bytes: ten });
    const answer = await api.status(id, "h,status");
    expect(answer.json).toEqual({ id, file_offset: 10, status: "complete", ...json });
  });
});
