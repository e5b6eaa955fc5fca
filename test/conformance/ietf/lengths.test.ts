import { describe, expect, it } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectEnded, expectOffset, expectTaken } from "./expect-answer.ts";
import { expectProblem, inconsistentLength } from "./expect-problem.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();

const length = 5_000;
const whole = patternBytes({ seed: 35, length });
const inconsistent = { status: 400, type: inconsistentLength };

describe("the length of an upload", () => {
  it("is recorded when the creation says it", async () => {
    const { api } = target();
    const url = await api.begun({ length });
    expect((await api.head(url)).header("upload-length")).toBe(`${length}`);
  });

  it("is recorded when an append says it", async () => {
    const { api } = target();
    const url = await api.begun();
    await api.append(url, 0, { bytes: whole.subarray(0, 100), length });
    expect((await api.head(url)).header("upload-length")).toBe(`${length}`);
  });

  it("is recorded from a last part that is cut, whose Content-Length said it", async (context) => {
    const { api } = target();
    const url = await api.begun({ bytes: whole.subarray(0, 1_000) });
    const headers = { "Content-Length": `${length - 1_000}` };
    const append = { url, offset: 1_000, complete: true, headers };
    using connection = await target().beginAppend(context, append);
    await connection.write(whole.subarray(1_000, 2_000));
    connection.close();
    // Where it went to another node it may only arrive now.
    const told = async () => (await api.head(url)).header("upload-length");
    expect(await eventually(told, { what: "the length to be told" })).toBe(`${length}`);
  });

  it("is recorded when a whole upload ends at its app's limit, unannounced", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const { token } = await graph.secondApp(context, { lengthMax: 1_000 });
    const small = api.as(token);
    const bytes = whole.subarray(0, 1_000);
    const created = await small.create({ bytes, complete: true, chunked: true });
    expectTaken(created, 201);
    expect((await small.head(created.location)).header("upload-length")).toBe("1000");
    const headers = { ...small.authorization, "Tus-Resumable": "1.0.0" };
    const told = await small.request({ method: "HEAD", url: created.location, headers });
    expect(told.header("upload-length")).toBe("1000");
    expect(told.header("upload-defer-length")).toBeUndefined();
  });

  it("that contradicts Content-Length in the same creation is refused", async () => {
    const { api } = target();
    const answer = await api.create({ bytes: whole, complete: true, length: length + 1 });
    expectProblem(answer, inconsistent);
    expect(answer.header("location")).toBeUndefined();
  });

  it("that is less than the first part is refused", async () => {
    const answer = await target().api.create({ bytes: whole, length: length - 1 });
    expectProblem(answer, inconsistent);
  });

  it("that contradicts Content-Length in the same append is refused and changes nothing", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: whole, complete: true, length: 99 });
    expectProblem(answer, inconsistent);
    const status = await api.head(url);
    expect(status.offset).toBe(0);
    expect(status.header("upload-length")).toBeUndefined();
  });

  it("that contradicts what an earlier request said is refused and changes nothing", async () => {
    const { api } = target();
    const url = await api.begun({ length });
    const said = await api.append(url, 0, { bytes: whole.subarray(0, 10), length: length + 1 });
    expectProblem(said, inconsistent);
    expectOffset(said, 0);
    const implied = await api.append(url, 0, { bytes: whole.subarray(0, 10), complete: true });
    expectProblem(implied, inconsistent);
    expect(await api.offset(url)).toBe(0);
    const answer = await api.append(url, 0, { bytes: whole, complete: true });
    expectTaken(answer, 201);
  });

  it("that is the same each time is fine", async () => {
    const { api } = target();
    const url = await api.begun({ length });
    await api.append(url, 0, { bytes: whole.subarray(0, 10), length });
    const rest = { bytes: whole.subarray(10), complete: true, length };
    expectTaken(await api.append(url, 10, rest), 201);
  });

  it("is not reached by a last part in chunks that ends before it: refused, and not complete", async () => {
    const { api } = target();
    const url = await api.begun({ length });
    const part = { bytes: whole.subarray(0, 100), complete: true, chunked: true };
    expectProblem(await api.append(url, 0, part), inconsistent);
    expect(api.completeness(await api.head(url))).toBe(false);
  });
});

describe("an append beyond the length", () => {
  it("is refused by its Content-Length, and the upload is invalid from then on", async () => {
    const { api } = target();
    const url = await api.begun({ length: 1_000 });
    expectProblem(await api.append(url, 0, { bytes: whole }), inconsistent);
    expectEnded(await api.head(url), 410);
    const answer = await api.append(url, 0, { bytes: whole.subarray(0, 1_000), complete: true });
    expectEnded(answer, 410);
  });

  it("is refused once more bytes come in chunks, and the upload is invalid from then on", async () => {
    const { api } = target();
    const url = await api.begun({ length: 1_000 });
    const answer = await api.append(url, 0, { bytes: whole, chunked: true });
    expectProblem(answer, inconsistent);
    expectEnded(await api.head(url), 410);
  });
});
