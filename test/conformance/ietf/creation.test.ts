import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectOffset, expectTaken } from "./expect-answer.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions } from "./versions.ts";

const target = useIetfTarget();

const length = 5_000;
const whole = patternBytes({ seed: 31, length });
const uuid = /\/uploads\/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe.each(interopVersions)("upload creation, interop $interop", (version) => {
  it("without content answers 201 with the upload's URL and that it is not complete", async () => {
    const api = target().at(version);
    const answer = await api.create();
    expectTaken(answer, 201);
    expect(api.urlOf(answer.location).href).not.toBe(api.url.href);
    expect(api.completeness(answer)).toBe(false);
    expectOffset(answer, 0);
  });

  it("with a first part takes it and tells how far it came", async () => {
    const api = target().at(version);
    const answer = await api.create({ bytes: whole.subarray(0, 1_234) });
    expectTaken(answer, 201);
    expect(api.completeness(answer)).toBe(false);
    expectOffset(answer, 1_234);
    expect(await api.offset(answer.location)).toBe(1_234);
  });

  it("with all of the content completes the upload", async () => {
    const api = target().at(version);
    const answer = await api.create({ bytes: whole, complete: true });
    expectTaken(answer, 201);
    expect(api.completeness(answer)).toBe(true);
    expectOffset(answer, length);
    const status = await api.head(answer.location);
    expect(api.completeness(status)).toBe(true);
    expect(status.offset).toBe(length);
  });
});

describe("upload creation", () => {
  it.for(["POST", "PUT", "PATCH"])("works with the method %s", async (method) => {
    const { api } = target();
    const answer = await api.create({ method, bytes: whole, complete: true });
    expectTaken(answer, 201);
    expect(api.completeness(await api.head(answer.location))).toBe(true);
  });

  it("of an empty representation completes it at once", async () => {
    const { api } = target();
    const answer = await api.create({ complete: true });
    expectTaken(answer, 201);
    expect(api.completeness(answer)).toBe(true);
    expectOffset(answer, 0);
    const status = await api.head(answer.location);
    expect(status.header("upload-length")).toBe("0");
  });

  it("gives the upload a UUID below the URL that created it", async (context) => {
    target().hawser(context);
    const answer = await target().api.create();
    expect(answer.location).toMatch(uuid);
    expect(answer.header("cache-control")).toBe("no-store");
  });

  it("makes a URL that was never given before, each time", async () => {
    const { api } = target();
    const urls = await Promise.all(Array.from({ length: 8 }, () => api.begun()));
    expect(new Set(urls).size).toBe(urls.length);
  });

  it("in chunks, of which nobody said how many bytes they are, takes all of them", async () => {
    const { api } = target();
    const answer = await api.create({ bytes: whole, complete: true, chunked: true });
    expectTaken(answer, 201);
    expectOffset(answer, length);
    expect((await api.head(answer.location)).header("upload-length")).toBe(`${length}`);
  });

  it("answers with the URL at which the client came", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = new URL(await api.begun());
    expect(url.origin).toBe(api.url.origin);
  });

  it("without any field of the draft is an upload as always, whole in one request", async () => {
    const api = target().api.unnamed();
    const answer = await api.authorized({
      method: "POST",
      url: target().api.url.href,
      headers: { "Content-Type": "application/pdf" },
      body: whole,
    });
    expectTaken(answer, 201);
    expect(api.completeness(await api.head(answer.location))).toBe(true);
  });

  it("names the upload as Content-Disposition does", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const cases = [
      ['inline; filename="plain.pdf"', "plain.pdf"],
      ["inline; filename=token.pdf", "token.pdf"],
      ['inline; filename="quo\\"ted.pdf"', 'quo"ted.pdf'],
      [`inline; filename="file.pdf"; filename*=UTF-8''na%C3%AFve%20file.pdf`, "naïve file.pdf"],
      ['attachment; filename="../../etc/passwd"', ".._.._etc_passwd"],
    ] as const;
    for (const [disposition, name] of cases) {
      const headers = { "Content-Disposition": disposition };
      const answer = await api.create({ bytes: whole, complete: true, headers });
      const { h } = answer.json;
      if (typeof h !== "string") return context.skip("the final answer does not have the handle");
      const file = await graph.api.publish(h);
      expect((await graph.api.get(`/v21.0/${file}?fields=name`)).text("name")).toBe(name);
    }
  });

  it("of a type that the app does not take is refused, and nothing is begun", async (context) => {
    target().hawser(context);
    const answer = await target().api.create({ headers: { "Content-Type": "text/plain" } });
    expect(answer.status, answer.shown).toBe(400);
    expect(answer.header("location")).toBeUndefined();
  });

  it("is refused without a token, and asks for one", async (context) => {
    target().hawser(context);
    const { api } = target();
    const answer = await api.request({
      method: "POST",
      url: target().api.url.href,
      headers: { ...api.interop, ...api.flag(true), "Content-Type": "application/pdf" },
      body: whole,
    });
    expect(answer.status, answer.shown).toBe(401);
    expect(answer.header("www-authenticate")).toMatch(/^Bearer\b/);
    expect(answer.header("location")).toBeUndefined();
  });

  it("is answered to a method that has no content with those it takes", async (context) => {
    target().hawser(context);
    const answer = await target().api.authorized({ method: "DELETE", url: target().api.url.href });
    expect(answer.status, answer.shown).toBe(405);
    expect(answer.header("allow")).toMatch(/\bPOST\b/);
  });
});
