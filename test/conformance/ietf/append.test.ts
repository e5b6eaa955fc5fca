import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
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
    expect(answer.status, answer.shown).toBe(version.appendedStatus);
    expect(api.completeness(answer)).toBe(false);
    expect(answer.offset).toBe(2_000);
    expect(await api.offset(url)).toBe(2_000);
  });

  it("of the last part completes the upload", async () => {
    const api = target().at(version);
    const url = await api.begun({ bytes: whole.subarray(0, 2_000) });
    const answer = await api.append(url, 2_000, { bytes: whole.subarray(2_000), complete: true });
    expect(answer.status, answer.shown).toBe(201);
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
      expectProblem(answer, { status: 409, type: mismatchingOffset });
      expect(answer.json).toMatchObject({
        "expected-offset": 2_000,
        "provided-offset": offset,
      });
      expect(answer.offset).toBe(2_000);
      expect(api.completeness(answer)).toBe(false);
    }
    expect(await api.offset(url)).toBe(2_000);
  });

  it("of another media type is taken only where the draft does not name one", async () => {
    const api = target().at(version);
    const url = await api.begun();
    const headers = { "Content-Type": "application/octet-stream" };
    const answer = await api.append(url, 0, { bytes: whole.subarray(0, 10), headers });
    if (!version.patchType) {
      expect(answer.status, answer.shown).toBe(version.appendedStatus);
      return;
    }
    expectProblem(answer, { status: 415 });
    expect(answer.header("accept-patch")).toBe("application/partial-upload");
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
      expect(answer.status, answer.shown).toBe(201);
      expect(status.offset).toBe(length);
      expect(api.completeness(status)).toBe(version.unflaggedAppend === "completes");
    }
  });

  it("to an upload that was cancelled is the status that the draft says", async () => {
    const api = target().at(version);
    const url = await api.begun();
    await api.delete(url);
    const answer = await api.append(url, 0, { bytes: whole });
    expectProblem(answer, { status: version.endedStatus });
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
    expect(answer.json.detail).toContain("Upload-Offset");
    expect(await api.offset(url)).toBe(0);
  });

  it("in parts of any size ends in the same bytes", async () => {
    const { api, graph } = target();
    const url = await api.begun({ length });
    const sizes = [1, 999, 0, 4_000, 1_000];
    let offset = 0;
    for (const size of sizes) {
      const bytes = whole.subarray(offset, offset + size);
      const answer = await api.append(url, offset, { bytes });
      expect(answer.status, answer.shown).toBe(204);
      offset += size;
    }
    expect(offset).toBe(length);
    const final = await api.append(url, offset, { complete: true });
    expect(final.status, final.shown).toBe(201);
    const file = await graph.api.publish(String(final.json.h));
    expect((await graph.api.content(file)).equals(whole)).toBe(true);
  });

  it("in chunks, of which nobody said how many bytes they are, takes all of them", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: whole, chunked: true });
    expect(answer.status, answer.shown).toBe(204);
    expect(answer.offset).toBe(length);
  });

  it("of what was never begun is 404", async () => {
    const nowhere = "/uploads/00000000-0000-4000-8000-000000000000";
    expectProblem(await target().api.append(nowhere, 0, { bytes: whole }), { status: 404 });
  });

  it("of another app's upload is the same 404, and changes nothing", async (context) => {
    const { api, graph } = target();
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
    expect(answer.status, answer.shown).toBe(201);
  });

  it("works where a client can only send POST and names the method it means", async () => {
    const { api } = target();
    const url = await api.begun();
    const headers = { "X-HTTP-Method-Override": "PATCH" };
    const answer = await api.append(url, 0, { bytes: whole, method: "POST", headers });
    expect(answer.status, answer.shown).toBe(204);
  });

  it("by another method is 405 and tells which there are", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes: whole, method: "PUT" });
    expectProblem(answer, { status: 405 });
    expect(answer.header("allow")).toBe("DELETE, GET, HEAD, OPTIONS, PATCH");
    expect(await api.offset(url)).toBe(0);
  });
});
