import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";

import { headerValue } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import { algorithms, checksumOf } from "./checksums.ts";
import { offsetType } from "./tus-api.ts";
import { chunked, declaring, useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const length = 40_000;
const half = 20_000;
const whole = patternBytes({ seed: 291, length });

function created(): Promise<URL> {
  return target().api.create({ "Upload-Length": `${length}` });
}

/** Sends the first half, or the second. */
function patch(url: URL, offset: 0 | typeof half, checksum: string) {
  const bytes = whole.subarray(offset, offset + half);
  return target().api.patch({ url, offset, bytes, headers: { "Upload-Checksum": checksum } });
}

// At once: behind a proxy that holds the answers up they wait as long.
describe.concurrent("more bytes than may wait for their checksum", () => {
  it.for(["PATCH", "POST"])(
    "are refused with 413 before they come: %s",
    async (method, context) => {
      target().hawser(context);
      const { api } = target();
      const url = method === "PATCH" ? await api.create({ "Upload-Defer-Length": "1" }) : api.url;
      using connection = await target().begin(context, { method, url }, [
        method === "PATCH" ? ["Upload-Offset", "0"] : ["Upload-Defer-Length", "1"],
        ["Upload-Checksum", checksumOf("sha1", whole)],
        ...declaring(1024 ** 3 + 1),
      ]);
      const answer = await connection.answer();
      expect(answer.status, answer.body.toString()).toBe(413);
      expect(answer.body.toString()).toContain("1073741824");
      expect(headerValue(answer, "location")).toBeUndefined();
      if (method === "PATCH") expect(await api.offsetOf(url)).toBe(0);
    },
  );
});

describe.for(algorithms)("a checksum in %s", (algorithm) => {
  it("that is right lets its bytes count", async () => {
    const url = await created();
    const first = await patch(url, 0, checksumOf(algorithm, whole.subarray(0, half)));
    expect(first.status, first.seen).toBe(204);
    expect(first.offset).toBe(half);
    const second = await patch(url, half, checksumOf(algorithm, whole.subarray(half)));
    expect(second.status, second.seen).toBe(204);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("that is wrong is refused with 460, and its bytes are discarded", async () => {
    const { api } = target();
    const url = await created();
    await api.patch({ url, offset: 0, bytes: whole.subarray(0, half) });
    const answer = await patch(url, half, checksumOf(algorithm, Buffer.from("others")));
    expect(answer.status, answer.seen).toBe(460);
    expect(await api.offsetOf(url)).toBe(half);
    const again = await patch(url, half, checksumOf(algorithm, whole.subarray(half)));
    expect(again.status, again.seen).toBe(204);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });
});

describe("a checksum", () => {
  it("that is wrong is refused for the very first bytes, too", async () => {
    const { api } = target();
    const url = await created();
    const wrong = checksumOf("sha1", Buffer.from("others"));
    expect((await patch(url, 0, wrong)).status).toBe(460);
    expect(await api.offsetOf(url)).toBe(0);
    await api.patch({ url, offset: 0, bytes: whole });
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("that is wrong does not complete an upload, even a small one", async () => {
    const { api } = target();
    const bytes = Buffer.from("hello world");
    const url = await api.create({ "Upload-Length": `${bytes.length}` });
    const other = { "Upload-Checksum": checksumOf("sha1", Buffer.from("hello earth")) };
    const answer = await api.patch({ url, offset: 0, bytes, headers: other });
    expect(answer.status, answer.seen).toBe(460);
    expect(await api.offsetOf(url)).toBe(0);
    // The example of the protocol's own text.
    const right = { "Upload-Checksum": "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=" };
    expect((await api.patch({ url, offset: 0, bytes, headers: right })).status).toBe(204);
    expect((await target().content(url)).equals(bytes)).toBe(true);
  });

  it("that is wrong discards more bytes than fit into any buffer", async () => {
    const { api } = target();
    const bytes = patternBytes({ seed: 292, length: 20_000_000 });
    const url = await api.create({ "Upload-Length": `${bytes.length}` });
    const wrong = { "Upload-Checksum": checksumOf("sha1", whole) };
    const answer = await api.patch({ url, offset: 0, bytes, headers: wrong });
    expect(answer.status, answer.seen).toBe(460);
    expect(await api.offsetOf(url)).toBe(0);
    const right = { "Upload-Checksum": checksumOf("sha1", bytes) };
    const again = await api.patch({ url, offset: 0, bytes, headers: right });
    expect(again.status, again.seen).toBe(204);
    expect((await target().content(url)).equals(bytes)).toBe(true);
  });

  it.for(["sha512 YQ==", "crc99 YQ==", "none"])(
    "of an algorithm that is not served is refused with 400 and changes nothing: %s",
    async (checksum) => {
      const url = await created();
      const answer = await patch(url, 0, checksum);
      expect(answer.status, answer.seen).toBe(400);
      expect(await target().api.offsetOf(url)).toBe(0);
    },
  );

  it.for(["sha1", "sha1 ", "sha1 not-base64", "sha1 YQ==", "sha1 YQ== YQ=="])(
    "that is none is refused and changes nothing: %j",
    async (checksum) => {
      const url = await created();
      const answer = await patch(url, 0, checksum);
      expect([400, 460], answer.seen).toContain(answer.status);
      expect(await target().api.offsetOf(url)).toBe(0);
    },
  );

  it("of bytes that come in chunks counts just as much", async (context) => {
    const { api } = target();
    const url = await created();
    const wrong = ["Upload-Checksum", checksumOf("sha1", Buffer.from("others"))] as const;
    const headers = [wrong, ...chunked];
    using connection = await target().beginPatch(context, { url, offset: 0 }, headers);
    await connection.sendChunk(whole.subarray(0, half));
    await connection.sendLastChunk();
    expect((await connection.answer()).status).toBe(460);
    expect(await api.offsetOf(url)).toBe(0);
  });

  it("of bytes that are cut lets none of them count", async (context) => {
    const url = await created();
    const right = ["Upload-Checksum", checksumOf("sha1", whole)] as const;
    const headers = [right, ...declaring(length)];
    const connection = await target().beginPatch(context, { url, offset: 0 }, headers);
    await connection.write(whole.subarray(0, half));
    // Long enough for any server to have taken them in.
    await sleep(500);
    connection.close();
    // A newcomer waits for the first to be over.
    const answer = await target().api.patch({ url, offset: 0, bytes: whole });
    expect(answer.status, answer.seen).toBe(204);
    expect((await target().content(url)).equals(whole)).toBe(true);
  });

  it("counts for the bytes that come with a creation", async (context) => {
    target().hawser(context);
    const { api } = target();
    const headers = { "Upload-Length": `${length}`, "Content-Type": offsetType };
    const wrong = checksumOf("sha256", Buffer.from("others"));
    const refused = await api.post({ ...headers, "Upload-Checksum": wrong }, whole);
    expect(refused.status, refused.seen).toBe(460);
    expect(refused.header("location")).toBeUndefined();
    const right = checksumOf("sha256", whole);
    const answer = await api.post({ ...headers, "Upload-Checksum": right }, whole);
    expect(answer.status, answer.seen).toBe(201);
    expect((await target().content(api.locationOf(answer))).equals(whole)).toBe(true);
  });
});
