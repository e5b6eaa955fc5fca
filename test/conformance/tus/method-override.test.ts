import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { offsetType } from "./tus-api.ts";
import { useTusTarget } from "./tus-target.ts";

const target = useTusTarget();

const bytes = patternBytes({ seed: 211, length: 1_000 });

function created(): Promise<URL> {
  return target().api.create({ "Upload-Length": `${bytes.length}` });
}

describe("X-HTTP-Method-Override", () => {
  it("makes a PATCH of a POST", async () => {
    const { api } = target();
    const url = await created();
    const answer = await api.request({
      method: "POST",
      url,
      headers: {
        "X-HTTP-Method-Override": "PATCH",
        "Content-Type": offsetType,
        "Upload-Offset": "0",
      },
      body: bytes,
    });
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.offset).toBe(bytes.length);
    expect(await api.offsetOf(url)).toBe(bytes.length);
  });

  it("makes a DELETE of a POST", async () => {
    const { api } = target();
    const url = await created();
    const headers = { "X-HTTP-Method-Override": "DELETE" };
    const answer = await api.request({ method: "POST", url, headers });
    expect(answer.status, answer.seen).toBe(204);
    expect([404, 410]).toContain((await api.head(url)).status);
  });

  it("makes a HEAD of a POST", async () => {
    const { api } = target();
    const url = await created();
    const headers = { "X-HTTP-Method-Override": "HEAD" };
    const answer = await api.request({ method: "POST", url, headers });
    expect(answer.status, answer.seen).toBe(200);
    expect(answer.offset).toBe(0);
    expect(answer.header("upload-length")).toBe(`${bytes.length}`);
  });

  it("makes an OPTIONS of a POST", async () => {
    const { api } = target();
    const headers = { "X-HTTP-Method-Override": "OPTIONS" };
    const answer = await api.request({ method: "POST", url: api.url, headers });
    expect([200, 204], answer.seen).toContain(answer.status);
    expect(answer.list("tus-extension")).toContain("creation");
  });

  it("wins over the method that the request has, which is then not carried out", async () => {
    const { api } = target();
    const url = await created();
    const headers = { "X-HTTP-Method-Override": "HEAD" };
    const answer = await api.request({ method: "DELETE", url, headers });
    expect(answer.status, answer.seen).toBe(200);
    expect(await api.offsetOf(url)).toBe(0);
  });
});
