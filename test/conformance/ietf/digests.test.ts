import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

import { headerValue } from "../../support/raw-http.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectEnded, expectOffset, expectTaken } from "./expect-answer.ts";
import { expectProblem } from "./expect-problem.ts";
import { givenUrl } from "./given-server.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();

const length = 90_000;
const whole = patternBytes({ seed: 47, length });

function digestOf(bytes: Uint8Array, algorithm = "sha-256"): string {
  const hash = createHash(algorithm.replace("-", "")).update(bytes).digest("base64");
  return `${algorithm}=:${hash}:`;
}

const wrong = digestOf(Buffer.from("something else"));

describe("Content-Digest", () => {
  it("that is right lets the part count", async () => {
    const { api } = target();
    const part = whole.subarray(0, 30_000);
    const headers = { "Content-Digest": digestOf(part) };
    const created = await api.create({ bytes: part, headers });
    expectTaken(created, 201);
    expectOffset(created, 30_000);
    const rest = whole.subarray(30_000);
    const last = { bytes: rest, complete: true, headers: { "Content-Digest": digestOf(rest) } };
    const answer = await api.append(created.location, 30_000, last);
    expectTaken(answer, 201);
  });

  it("that is wrong leaves the part out, and the same part may come again", async () => {
    const { api } = target();
    const url = await api.begun({ bytes: whole.subarray(0, 10) });
    const part = { bytes: whole.subarray(10), complete: true };
    const answer = await api.append(url, 10, { ...part, headers: { "Content-Digest": wrong } });
    expectProblem(answer, { status: 400 });
    expectOffset(answer, 10);
    expect(api.completeness(answer)).not.toBe(true);
    expect(await api.offset(url)).toBe(10);
    expectTaken(await api.append(url, 10, part), 201);
  });

  it("that is wrong at creation leaves the part out, and tells where it may come again", async (context) => {
    target().hawser(context);
    const { api } = target();
    const headers = { "Content-Digest": wrong };
    const answer = await api.create({ bytes: whole, complete: true, headers });
    expectProblem(answer, { status: 400 });
    expect(await api.offset(answer.location)).toBe(0);
    const again = await api.append(answer.location, 0, { bytes: whole, complete: true });
    expectTaken(again, 201);
  });

  it("that has not as many bytes as its algorithm is refused before any upload is begun", async (context) => {
    target().hawser(context);
    const headers = { "Content-Digest": "sha-256=:aGk=:" };
    const answer = await target().api.create({ bytes: whole, complete: true, headers });
    expectProblem(answer, { status: 400 });
    expect(answer.header("location")).toBeUndefined();
  });

  it("of an algorithm that nobody knows is ignored", async () => {
    const { api } = target();
    const headers = { "Content-Digest": "unknown=:AAAA:" };
    const answer = await api.create({ bytes: whole, complete: true, headers });
    expectTaken(answer, 201);
  });

  it("of several algorithms is judged by one that is known", async () => {
    const { api } = target();
    const headers = { "Content-Digest": `unknown=:AAAA:, ${wrong}` };
    const answer = await api.create({ bytes: whole, complete: true, headers });
    expectProblem(answer, { status: 400 });
  });
});

describe("more content than may wait for its Content-Digest", () => {
  it("is 413 before it comes, and tells how much one append may bring", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.begun();
    const headers = { "Content-Length": `${1024 ** 3 + 1}`, "Content-Digest": wrong };
    const append = { url, offset: 0, complete: false, headers };
    using connection = await target().beginAppend(context, append);
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(413);
    expect(headerValue(answer, "upload-limit")).toMatch(/\bmax-append-size=1073741824\b/);
    expect(headerValue(answer, "upload-offset")).toBe("0");
    const created = await api.head(url);
    expect([...created.limits.keys()]).not.toContain("max-append-size");
  });
});

describe("Repr-Digest", () => {
  it("of the whole upload, said when it began, lets it complete", async () => {
    const { api } = target();
    const url = await api.begun({ headers: { "Repr-Digest": digestOf(whole) } });
    await api.append(url, 0, { bytes: whole.subarray(0, 40_000) });
    const rest = { bytes: whole.subarray(40_000), complete: true };
    const answer = await api.append(url, 40_000, rest);
    expectTaken(answer, 201);
  });

  it("that is wrong fails the upload for good when its last part comes", async () => {
    const { api } = target();
    const url = await api.begun({ headers: { "Repr-Digest": wrong } });
    await api.append(url, 0, { bytes: whole.subarray(0, 40_000) });
    const rest = { bytes: whole.subarray(40_000), complete: true };
    const answer = await api.append(url, 40_000, rest);
    expectProblem(answer, { status: 422 });
    if (givenUrl === undefined) expect(api.completeness(answer)).toBe(true);
    expectEnded(await api.head(url), 410);
  });

  it("that is wrong fails an upload in one request, too", async () => {
    const { api } = target();
    const headers = { "Repr-Digest": wrong };
    for (const bytes of [whole, whole.subarray(0, 100)]) {
      const answer = await api.create({ bytes, complete: true, headers });
      expectProblem(answer, { status: 422 });
    }
  });

  it("that is wrong fails an upload that is completed without content", async () => {
    const { api } = target();
    const url = await api.begun({ bytes: whole, headers: { "Repr-Digest": wrong } });
    expectProblem(await api.append(url, length, { complete: true }), { status: 422 });
    expectEnded(await api.head(url), 410);
  });

  it("that has not as many bytes as its algorithm is refused at once", async (context) => {
    target().hawser(context);
    const { api } = target();
    const headers = { "Repr-Digest": "sha-256=:aGk=:" };
    const created = await api.create({ bytes: whole, complete: true, headers });
    expectProblem(created, { status: 400 });
    expect(created.header("location")).toBeUndefined();
    const url = await api.begun();
    expectProblem(await api.append(url, 0, { bytes: whole, headers }), { status: 400 });
    expect(await api.offset(url)).toBe(0);
  });

  it("said with a part before the last counts when the last one comes", async () => {
    const { api } = target();
    const url = await api.begun();
    const first = { bytes: whole.subarray(0, 10), headers: { "Repr-Digest": wrong } };
    expect((await api.append(url, 0, first)).offset).toBe(10);
    const rest = { bytes: whole.subarray(10), complete: true };
    expectProblem(await api.append(url, 10, rest), { status: 422 });
  });

  it("that is another than was said before is refused and changes nothing", async () => {
    const { api } = target();
    const url = await api.begun({ headers: { "Repr-Digest": digestOf(whole) } });
    const part = { bytes: whole, complete: true };
    const answer = await api.append(url, 0, { ...part, headers: { "Repr-Digest": wrong } });
    expectProblem(answer, { status: 400 });
    expectOffset(answer, 0);
    expectTaken(await api.append(url, 0, part), 201);
  });

  it("that is another than that of an upload complete already is refused and changes nothing", async (context) => {
    target().hawser(context);
    const { api } = target();
    const { location: url, body } = await api.create({ bytes: whole, complete: true });
    const again = { complete: true, headers: { "Repr-Digest": wrong } };
    expectProblem(await api.append(url, length, again), { status: 400 });
    const right = { complete: true, headers: { "Repr-Digest": digestOf(whole) } };
    const answer = await api.append(url, length, right);
    expectTaken(answer, 201);
    expect(answer.body.equals(body)).toBe(true);
  });

  it("may be said with the last part instead", async () => {
    const { api } = target();
    const url = await api.begun({ bytes: whole.subarray(0, 10) });
    const part = { bytes: whole.subarray(10), complete: true };
    const headers = { "Repr-Digest": wrong };
    expectProblem(await api.append(url, 10, { ...part, headers }), { status: 422 });
  });
});

describe("Want-Repr-Digest", () => {
  it("when the upload began is answered once it is complete, and whenever it is asked for", async () => {
    const { api } = target();
    const url = await api.begun({ headers: { "Want-Repr-Digest": "sha-256=10" } });
    const answer = await api.append(url, 0, { bytes: whole, complete: true });
    expect(answer.header("repr-digest")).toBe(digestOf(whole));
    expect((await api.head(url)).header("repr-digest")).toBe(digestOf(whole));
  });

  it("with the last part, or when the offset is asked for, is answered, too", async () => {
    const { api } = target();
    const headers = { "Want-Repr-Digest": "unknown=9, sha-256=1" };
    const answer = await api.create({ bytes: whole, complete: true, headers });
    expect(answer.header("repr-digest")).toBe(digestOf(whole));
    const quiet = await api.create({ bytes: whole, complete: true });
    expect(quiet.header("repr-digest")).toBeUndefined();
    const asked = await api.head(quiet.location, headers);
    expect(asked.header("repr-digest")).toBe(digestOf(whole));
  });

  it("for none that is known, or for zero, is not answered", async () => {
    const { api } = target();
    for (const want of ["unknown=5", "sha-256=0"]) {
      const headers = { "Want-Repr-Digest": want };
      const answer = await api.create({ bytes: whole, complete: true, headers });
      expectTaken(answer, 201);
      expect(answer.header("repr-digest")).toBeUndefined();
    }
  });
});
