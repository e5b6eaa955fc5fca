import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectEnded, expectTaken } from "./expect-answer.ts";
import { completedUpload, expectProblem, inconsistentLength } from "./expect-problem.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions } from "./versions.ts";

const target = useIetfTarget();

const length = 4_000;
const whole = patternBytes({ seed: 34, length });

describe.each(interopVersions)("completion, interop $interop", (version) => {
  it("is explicit: all bytes being there is not it", async () => {
    const api = target().at(version);
    const url = await api.begun({ length });
    const answer = await api.append(url, 0, { bytes: whole });
    expectTaken(answer, version.appendedStatus);
    expect(api.completeness(answer)).toBe(false);
    const status = await api.head(url);
    expect(status.offset).toBe(length);
    expect(api.completeness(status)).toBe(false);
  });

  it("may come with no content, once all of it is there", async () => {
    const api = target().at(version);
    const url = await api.begun({ length, bytes: whole });
    const answer = await api.append(url, length, { complete: true });
    expectTaken(answer, 201);
    expect(api.completeness(answer)).toBe(true);
    expect(api.completeness(await api.head(url))).toBe(true);
  });

  it("asked for once more is replayed or refused, as the draft says, and changes nothing", async (context) => {
    target().hawser(context);
    const api = target().at(version);
    const { location: url, body } = await api.create({ bytes: whole, complete: true });
    const answer = await api.append(url, length, { complete: true });
    if (version.refusesCompleted) {
      expectProblem(answer, { status: 400, type: completedUpload });
    } else {
      expectTaken(answer, 201);
      expect(api.completeness(answer)).toBe(true);
      expect(answer.body.equals(body)).toBe(true);
    }
    expect((await api.head(url)).offset).toBe(length);
  });

  it("lets no more bytes come: they are an inconsistent length", async () => {
    const api = target().at(version);
    const { location: url } = await api.create({ bytes: whole, complete: true });
    const answer = await api.append(url, length, { bytes: Buffer.from("x") });
    expectProblem(answer, { status: 400, type: inconsistentLength });
    const status = await api.head(url);
    expect(status.offset).toBe(length);
    expect(api.completeness(status)).toBe(true);
  });
});

describe("completion", () => {
  it("answers the same, however the content came", async (context) => {
    target().hawser(context);
    const { api } = target();
    const once = await api.create({ bytes: whole, complete: true });
    const url = await api.begun();
    const parts = await api.append(url, 0, { bytes: whole, complete: true });
    expect(parts.status).toBe(once.status);
    expect(Object.keys(parts.json)).toEqual(Object.keys(once.json));
    expect(parts.json).toMatchObject({ state: "complete", offset: length, length });
    expect(parts.header("link")).toContain("upload:");
  });

  it("is not a request's that was cut, however much of it came", async (context) => {
    const { api } = target();
    const url = await api.begun({ length });
    const headers = { "Content-Length": `${length}` };
    const append = { url, offset: 0, complete: true, headers };
    using connection = await target().beginAppend(context, append);
    await connection.write(whole.subarray(0, length - 1));
    connection.close();
    expect(await api.offset(url)).toBeLessThan(length);
    await target().completeAfterCut(url, whole);
  });

  it("is not a request's that was cut before its last chunk", async (context) => {
    const { api } = target();
    const url = await api.begun({ length });
    const headers = { "Transfer-Encoding": "chunked" };
    const append = { url, offset: 0, complete: true, headers };
    using connection = await target().beginAppend(context, append);
    await connection.sendChunk(whole);
    connection.close();
    await target().completeAfterCut(url, whole);
  });

  it("is refused to a token that was revoked since the upload began", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const cli = graph.cli(context);
    const scopes = ["create", "append", "read"] as const;
    const token = await cli.createToken({ app: graph.api.appId, scopes });
    const url = await api.as(token).begun();
    await cli.revokeToken(token);
    // A revocation is in force a second later at the latest.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const answer = await api.as(token).append(url, 0, { bytes: whole, complete: true });
    expectProblem(answer, { status: 401 });
    expect(api.completeness(await api.head(url))).toBe(false);
  });

  it("of content that is not of its type is refused for good, as the answer of the whole upload", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const strict = api.as((await graph.secondApp(context, { contentPolicy: "reject" })).token);
    const url = await strict.begun();
    const bytes = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    const answer = await strict.append(url, 0, { bytes, complete: true });
    expectProblem(answer, { status: 422 });
    expect(api.completeness(answer)).toBe(true);
    expectEnded(await strict.head(url), 410);
  });
});
