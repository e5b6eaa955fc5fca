import { beforeAll, describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, noToken } from "./expect-error.ts";
import type { GraphAnswer } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const length = 300_000;
const bytes = patternBytes({ seed: 51, length });

describe("the bytes of a published file", () => {
  let path: string;
  let etag: string;

  beforeAll(async () => {
    const { api } = target();
    path = `/v21.0/${await api.publish(await api.upload(bytes))}/content`;
    etag = (await api.get(path)).headers.etag ?? "";
  });

  async function get(headers: Readonly<Record<string, string>> = {}): Promise<GraphAnswer> {
    return target().api.get(path, headers);
  }

  function expectWhole(answer: GraphAnswer): void {
    expect(answer.status).toBe(200);
    expect(answer.body.equals(bytes)).toBe(true);
    expect(answer.headers).not.toHaveProperty("content-range");
  }

  function expectPart(answer: GraphAnswer, from: number, to: number): void {
    expect(answer.status).toBe(206);
    expect(answer.headers["content-range"]).toBe(`bytes ${from}-${to}/${length}`);
    expect(answer.headers["content-length"]).toBe(`${to - from + 1}`);
    expect(answer.body.equals(bytes.subarray(from, to + 1))).toBe(true);
  }

  it("come whole, with their length, type and a strong ETag", async () => {
    const answer = await get();
    expectWhole(answer);
    expect(answer.headers["content-length"]).toBe(`${length}`);
    expect(answer.headers["content-type"]).toBe("application/pdf");
    expect(answer.headers["accept-ranges"]).toBe("bytes");
    expect(answer.headers.etag).toMatch(/^"[^"]+"$/);
  });

  it("are described by HEAD exactly as by GET, without a body", async () => {
    const { api } = target();
    const head = await api.authorized({ method: "HEAD", path });
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    const whole = await get();
    const names = [
      "content-length",
      "content-type",
      "etag",
      "accept-ranges",
      "content-disposition",
    ];
    for (const name of names) expect(head.headers[name], name).toBe(whole.headers[name]);
  });

  it("are described whole by HEAD whatever Range it has, which is GET's alone", async () => {
    const { api } = target();
    for (const range of ["bytes=0-99", `bytes=${length}-`]) {
      const head = await api.authorized({ method: "HEAD", path, headers: { Range: range } });
      expect(head.status, range).toBe(200);
      expect(head.headers["content-length"]).toBe(`${length}`);
      expect(head.headers).not.toHaveProperty("content-range");
    }
  });

  it("need a token, in the header or the query", async () => {
    const { api } = target();
    expectGraphError(await api.request({ method: "GET", path }), noToken);
    const inQuery = `${path}?access_token=${api.token}`;
    expectWhole(await api.request({ method: "GET", path: inQuery }));
  });

  it.for([
    ["bytes=0-0", 0, 0],
    ["bytes=0-99", 0, 99],
    ["bytes=1000-199999", 1000, 199_999],
    ["bytes=299999-", 299_999, 299_999],
    ["bytes=150000-", 150_000, 299_999],
    ["bytes=-1", 299_999, 299_999],
    ["bytes=-1000", 299_000, 299_999],
    ["bytes=-999999999", 0, 299_999],
    ["bytes=100-999999999999", 100, 299_999],
  ] as const)("Range %s gives exactly those bytes", async ([range, from, to]) => {
    expectPart(await get({ Range: range }), from, to);
  });

  it.for(["bytes=300000-", "bytes=999999999-", "bytes=300000-300001", "bytes=-0"])(
    "Range %s cannot be satisfied and is 416 with the true length",
    async (range) => {
      const answer = await get({ Range: range });
      expect(answer.status).toBe(416);
      expect(answer.headers["content-range"]).toBe(`bytes */${length}`);
    },
  );

  it.for(["items=0-1", "bytes=", "bytes=abc", "bytes=0", "bytes=1-x", "0-5", "bytes=5-2"])(
    "Range %s is no range of bytes and is ignored",
    async (range) => {
      expectWhole(await get({ Range: range }));
    },
  );

  it("more than one range is answered with the whole", async () => {
    expectWhole(await get({ Range: "bytes=0-1,5-6" }));
  });

  it("If-None-Match with the ETag is 304 without a body", async () => {
    for (const match of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = await get({ "If-None-Match": match });
      expect(answer.status, match).toBe(304);
      expect(answer.body).toHaveLength(0);
      expect(answer.headers.etag).toBe(etag);
    }
  });

  it("If-None-Match with another ETag is the whole", async () => {
    expectWhole(await get({ "If-None-Match": '"other"' }));
  });

  it("If-None-Match is judged before Range", async () => {
    const answer = await get({ "If-None-Match": etag, Range: "bytes=0-9" });
    expect(answer.status).toBe(304);
  });

  it("If-Range with the ETag gives the part, with another or a weak one the whole", async () => {
    expectPart(await get({ "If-Range": etag, Range: "bytes=10-19" }), 10, 19);
    expectWhole(await get({ "If-Range": '"other"', Range: "bytes=10-19" }));
    expectWhole(await get({ "If-Range": `W/${etag}`, Range: "bytes=10-19" }));
  });

  it("If-Range without Range is the whole", async () => {
    expectWhole(await get({ "If-Range": etag }));
  });

  it("have an ETag that differs for other bytes", async () => {
    const { api } = target();
    const other = await api.publish(await api.upload(patternBytes({ seed: 52, length })));
    const answer = await api.get(`/v21.0/${other}/content`);
    expect(answer.headers.etag).not.toBe(etag);
  });
});

describe("serving what strangers uploaded", () => {
  async function served(file_name: string, file_type = "application/pdf"): Promise<GraphAnswer> {
    const { api } = target();
    const html = Buffer.from("<script>alert(document.domain)</script>");
    const id = await api.publish(await api.upload(html, { file_name, file_type }));
    return api.get(`/v21.0/${id}/content`);
  }

  it("no browser guesses the type, runs a script or frames the page", async () => {
    for (const type of ["application/pdf", "image/png", "video/mp4"]) {
      const { headers } = await served("a.html", type);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["content-security-policy"]).toMatch(/default-src 'none'; sandbox/);
      expect(headers["content-type"]).toBe(type);
    }
  });

  it("the disposition is attachment, or inline only for a type that is safe to show", async () => {
    const { headers } = await served("a.pdf", "application/pdf");
    expect(headers["content-disposition"]).toMatch(/^(attachment|inline)\b/);
    const picture = await served("a.png", "image/png");
    expect(picture.headers["content-disposition"]).toMatch(/^(attachment|inline)\b/);
  });

  it.for(["größe ✓ 日本.pdf", 'a "quoted" name.pdf', "semi;colon.pdf", "100%.pdf", "a'b(c)*.pdf"])(
    "the name %s survives in Content-Disposition",
    async (name) => {
      const { headers } = await served(name);
      const disposition = headers["content-disposition"] ?? "";
      expect(disposition).toMatch(/^[\x20-\x7e]+$/);
      const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition)?.[1];
      const plain = /filename="((?:[^"\\]|\\.)*)"/.exec(disposition)?.[1];
      // RFC 8187's form where there is one; the plain form alone must hold the very name.
      const found =
        encoded === undefined ? plain?.replaceAll(/\\(.)/g, "$1") : decodeURIComponent(encoded);
      expect(found).toBe(name);
      expect(encoded ?? "").not.toMatch(/['()*]/);
    },
  );
});
