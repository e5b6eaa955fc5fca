import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { offsetType, type TusAnswer, version } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const bytes = patternBytes({ seed: 201, length: 1_000 });

function expectVersion(answer: TusAnswer): void {
  expect(answer.header("tus-resumable"), answer.seen).toBe(version);
}

function expectUnsupported(answer: TusAnswer): void {
  expect(answer.status, answer.seen).toBe(412);
  expect(answer.list("tus-version"), answer.seen).toContain(version);
  expectVersion(answer);
}

describe("Tus-Resumable", () => {
  it("is in every answer that carries out a request", async () => {
    const { api } = target();
    const created = await api.post({ "Upload-Length": `${bytes.length}` });
    expectVersion(created);
    const url = api.locationOf(created);
    expectVersion(await api.head(url));
    expectVersion(await api.patch({ url, offset: 0, bytes }));
    expectVersion(await api.delete(url));
    expectVersion(await api.options());
  });

  it("is in every answer that refuses a request", async () => {
    const { api } = target();
    expectVersion(await api.post({}));
    const url = await api.create({ "Upload-Length": `${bytes.length}` });
    expectVersion(await api.patch({ url, offset: 7, bytes }));
    expectVersion(await api.patch({ url, offset: 0, bytes, headers: { "Content-Type": "a/b" } }));
    const nowhere = new URL(`${url.href.slice(0, -4)}ffff`);
    expectVersion(await api.head(nowhere));
    expectVersion(await api.patch({ url: nowhere, offset: 0, bytes }));
    expectVersion(await api.delete(nowhere));
  });
});

describe("a version that the server does not have", () => {
  const others = ["0.2.2", "1.0.1", "2.0.0", "1.0", "1", "01.0.0", "one", "1.0.0, 1.0.0"];

  it.for(others)("%j is refused with 412 and Tus-Version when creating", async (other) => {
    const { api } = target();
    const headers = { "Tus-Resumable": other, "Upload-Length": "10" };
    const answer = await api.bare({ method: "POST", url: api.url, headers });
    expectUnsupported(answer);
    expect(answer.header("location")).toBeUndefined();
  });

  it.for(["HEAD", "PATCH", "DELETE"])(
    "is refused with 412 and Tus-Version by %s, which is not carried out",
    async (method) => {
      const { api } = target();
      const url = await api.create({ "Upload-Length": `${bytes.length}` });
      const patch = { "Content-Type": offsetType, "Upload-Offset": "0" };
      const headers = { "Tus-Resumable": "0.2.2", ...(method === "PATCH" ? patch : {}) };
      const body = method === "PATCH" ? { body: bytes } : {};
      const answer = await api.bare({ method, url, headers, ...body });
      expectUnsupported(answer);
      expect(answer.header("upload-offset")).toBeUndefined();
      expect(await api.offsetOf(url)).toBe(0);
    },
  );
});

describe("a request that names no version", () => {
  it("is refused with 412 and Tus-Version when creating", async () => {
    const { api } = target();
    const headers = { "Upload-Length": "10" };
    const answer = await api.bare({ method: "POST", url: api.url, headers });
    expectUnsupported(answer);
    expect(answer.header("location")).toBeUndefined();
  });

  it("is refused with 412 and Tus-Version when appending, and nothing is appended", async () => {
    const { api } = target();
    const url = await api.create({ "Upload-Length": `${bytes.length}` });
    const headers = { "Content-Type": offsetType, "Upload-Offset": "0" };
    expectUnsupported(await api.bare({ method: "PATCH", url, headers, body: bytes }));
    expect(await api.offsetOf(url)).toBe(0);
  });
});
