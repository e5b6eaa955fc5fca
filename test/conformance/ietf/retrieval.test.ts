import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectEnded, expectOffset, expectRefused, expectTaken } from "./expect-answer.ts";
import { expectProblem } from "./expect-problem.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions } from "./versions.ts";

const target = useIetfTarget();
const bytes = patternBytes({ seed: 32, length: 3_000 });

describe.each(interopVersions)("offset retrieval, interop $interop", (version) => {
  it("answers 204 with the offset, the completeness and no-store", async () => {
    const api = target().at(version);
    const url = await api.begun({ bytes: bytes.subarray(0, 700) });
    const answer = await api.head(url);
    expectTaken(answer, 204);
    expectOffset(answer, 700);
    expect(api.completeness(answer)).toBe(false);
    expect(answer.header("cache-control")).toBe("no-store");
  });

  it("tells that an upload is complete", async () => {
    const api = target().at(version);
    const { location } = await api.create({ bytes, complete: true });
    const answer = await api.head(location);
    expectTaken(answer, 204);
    expectOffset(answer, bytes.length);
    expect(api.completeness(answer)).toBe(true);
  });

  it("with fields of an append is refused where the draft says so", async () => {
    const api = target().at(version);
    const url = await api.begun();
    const fields = [{ "Upload-Offset": "0" }, api.flag(false)];
    for (const field of fields) {
      const answer = await api.head(url, field);
      if (version.refusesForeignFields) expectRefused(answer, 400);
      else expectTaken(answer, 204);
    }
  });

  it("of an upload that was cancelled is the status that the draft says", async () => {
    const api = target().at(version);
    const url = await api.begun();
    await api.delete(url);
    const answer = await api.head(url);
    expectEnded(answer, version.endedStatus);
    expect(answer.header("upload-offset")).toBeUndefined();
  });
});

describe("offset retrieval", () => {
  it("tells the length once the client has said it", async () => {
    const { api } = target();
    const unknown = await api.begun();
    expect((await api.head(unknown)).header("upload-length")).toBeUndefined();
    const known = await api.begun({ length: 12_345 });
    expect((await api.head(known)).header("upload-length")).toBe("12345");
  });

  it("works with GET, too, whose content says the same", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.begun({ bytes, length: 4_000 });
    const answer = await api.get(url);
    expect(answer.status, answer.shown).toBe(200);
    expectOffset(answer, bytes.length);
    expect(api.completeness(answer)).toBe(false);
    expect(answer.header("upload-length")).toBe("4000");
    expect(answer.json).toMatchObject({ state: "open", offset: bytes.length, length: 4_000 });
    expect(url.endsWith(`/${String(answer.json.id)}`)).toBe(true);
  });

  it("never redirects", async () => {
    const { api } = target();
    const answer = await api.head(await api.begun());
    expect([301, 302]).not.toContain(answer.status);
  });

  it("of what was never begun is 404", async () => {
    const { api } = target();
    const nowhere = await target().nowhere();
    expectEnded(await api.head(nowhere), 404);
  });

  it("by GET of what was never begun is 404, and tells so in words", async (context) => {
    const { api } = target();
    target().hawser(context);
    expectProblem(await api.get(await target().nowhere()), { status: 404 });
    expectProblem(await api.get(`${api.url.href}/what-is-no-id`), { status: 404 });
  });

  it("of another app's upload is the same 404", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const other = api.as((await graph.secondApp(context)).token);
    const url = await api.begun();
    expectProblem(await other.get(url), { status: 404 });
  });

  it("without a token is 401", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.begun();
    const answer = await api.request({ method: "HEAD", url });
    expect(answer.status).toBe(401);
    expect(answer.header("upload-offset")).toBeUndefined();
  });

  it("tells by a link where the handle is, and its content has it once the upload is complete", async (context) => {
    const { api } = target();
    target().hawser(context);
    const { location } = await api.create({ bytes, complete: true });
    const answer = await api.get(location);
    const link = /<([^>]+)>/.exec(answer.header("link") ?? "")?.[1] ?? "";
    const told = await api.authorized({ method: "GET", url: link });
    expect(told.status, told.shown).toBe(200);
    expect(told.json.h).toBe(answer.json.h);
    await target().expectContent(location, bytes);
  });
});
