import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectEnded, expectOffset, expectTaken } from "./expect-answer.ts";
import { expectProblem, mismatchingOffset } from "./expect-problem.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions } from "./versions.ts";

const target = useIetfTarget();

const length = 6_000;
const whole = patternBytes({ seed: 33, length });

describe.each(interopVersions)("upload append, interop $interop", (version) => {
  it("that does not complete the upload answers that it goes on", async () => {
    const api = target().at(version);
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: whole.subarray(0, 2_000) });
    expectTaken(answer, version.appendedStatus);
    expect(api.completeness(answer)).toBe(false);
    expectOffset(answer, 2_000);
    expect(await api.offset(url)).toBe(2_000);
  });

  it("of the last part completes the upload", async () => {
    const api = target().at(version);
    const url = await api.begun({ bytes: whole.subarray(0, 2_000) });
    const answer = await api.append(url, 2_000, { bytes: whole.subarray(2_000), complete: true });
    expectTaken(answer, 201);
    expect(api.completeness(answer)).toBe(true);
    const status = await api.head(url);
    expect(api.completeness(status)).toBe(true);
    expect(status.offset).toBe(length);
  });

  it("at an offset that is not the current one is 409 with the right one, and changes nothing", async () => {
    const api = target().at(version);
    const url = await api.begun({ bytes: whole.subarray(0, 2_000) });
    for (const offset of [0, 1_999, 2_001, 999_999_999]) {
      const answer = await api.append(url, offset, { bytes: whole.subarray(2_000) });
      const members = { "expected-offset": 2_000, "provided-offset": offset };
      expectProblem(answer, { status: 409, type: mismatchingOffset, members });
      expect(answer.offset).toBe(2_000);
      expect(api.completeness(answer)).not.toBe(true);
    }
    expect(await api.offset(url)).toBe(2_000);
  });

  it("of another media type is taken only where the draft does not name one", async () => {
    const api = target().at(version);
    const url = await api.begun();
    const headers = { "Content-Type": "application/octet-stream" };
    const answer = await api.append(url, 0, { bytes: whole.subarray(0, 10), headers });
    if (!version.patchType) {
      expectTaken(answer, version.appendedStatus);
      return;
    }
    expectProblem(answer, { status: 415 });
    expect(await api.offset(url)).toBe(0);
  });

  it("without a word about completeness means what the draft says it means", async () => {
    const api = target().at(version);
    const url = await api.begun();
    const answer = await api.authorized({
      method: "PATCH",
      url,
      headers: { "Upload-Offset": "0", ...api.patchType },
      body: whole,
    });
    const status = await api.head(url);
    if (version.unflaggedAppend === "is refused") {
      expectProblem(answer, { status: 400 });
      expect(status.offset).toBe(0);
    } else {
      expectTaken(answer, 201);
      expect(status.offset).toBe(length);
      expect(api.completeness(status)).toBe(version.unflaggedAppend === "completes");
    }
  });

  it("to an upload that was cancelled is the status that the draft says", async () => {
    const api = target().at(version);
    const url = await api.begun();
    await api.delete(url);
    const answer = await api.append(url, 0, { bytes: whole });
    expectEnded(answer, version.endedStatus);
    expect(answer.header("upload-offset")).toBeUndefined();
  });
});

describe("upload append", () => {
  it("without an offset is refused and changes nothing", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.authorized({
      method: "PATCH",
      url,
      headers: { ...api.patchType, ...api.flag(false) },
      body: whole,
    });
    expectProblem(answer, { status: 400 });
    expect(await api.offset(url)).toBe(0);
  });

  it("in parts of any size ends in the same bytes", async () => {
    const { api } = target();
    const url = await api.begun({ length });
    const sizes = [1, 999, 0, 4_000, 1_000];
    let offset = 0;
    for (const size of sizes) {
      const bytes = whole.subarray(offset, offset + size);
      const answer = await api.append(url, offset, { bytes });
      expectTaken(answer, 204);
      offset += size;
    }
    expect(offset).toBe(length);
    const final = await api.append(url, offset, { complete: true });
    expectTaken(final, 201);
    await target().expectContent(url, whole);
  });

  it("in chunks, of which nobody said how many bytes they are, takes all of them", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: whole, chunked: true });
    expectTaken(answer, 204);
    expectOffset(answer, length);
  });

  it("of what was never begun is 404", async () => {
    const nowhere = await target().nowhere();
    expectProblem(await target().api.append(nowhere, 0, { bytes: whole }), { status: 404 });
  });

  it("of another app's upload is the same 404, and changes nothing", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const other = api.as((await graph.secondApp(context)).token);
    const url = await api.begun();
    expectProblem(await other.append(url, 0, { bytes: whole }), { status: 404 });
    expect(await api.offset(url)).toBe(0);
  });

  it("takes the type that the creation named, whatever its own says", async () => {
    const { api } = target();
    const url = await api.begun();
    const headers = { "Content-Type": "application/partial-upload; charset=utf-8" };
    const answer = await api.append(url, 0, { bytes: whole, complete: true, headers });
    expectTaken(answer, 201);
  });

  it("works where a client can only send POST and names the method it means", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.begun();
    const headers = { "X-HTTP-Method-Override": "PATCH" };
    const answer = await api.append(url, 0, { bytes: whole, method: "POST", headers });
    expectTaken(answer, 204);
  });

  it("by another method is 405 and tells which there are", async (context) => {
    target().hawser(context);
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: whole, method: "PUT" });
    expectProblem(answer, { status: 405 });
    expect(answer.header("allow")).toBe("DELETE, GET, HEAD, OPTIONS, PATCH");
    expect(await api.offset(url)).toBe(0);
  });
});
