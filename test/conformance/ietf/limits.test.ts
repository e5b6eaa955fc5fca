import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectTaken } from "./expect-answer.ts";
import { expectProblem } from "./expect-problem.ts";
import { givenUrl } from "./given-server.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions } from "./versions.ts";

const target = useIetfTarget();
const bytes = patternBytes({ seed: 37, length: 3_000 });

describe.each(interopVersions)("Upload-Limit, interop $interop", (version) => {
  it("tells the largest size and the time that is left, by the draft's own key", async () => {
    const api = target().at(version);
    const created = await api.create();
    const retrieved = await api.head(created.location);
    for (const answer of [created, retrieved]) {
      if (version.lifetimeKey === undefined) {
        if (givenUrl !== undefined) continue;
        expect(answer.header("upload-limit")).toBeUndefined();
        continue;
      }
      const { limits } = answer;
      for (const value of limits.values()) expect(Number.isInteger(value)).toBe(true);
      if (givenUrl !== undefined) continue;
      expect([...limits.keys()].sort()).toEqual([version.lifetimeKey, "max-size"].sort());
      expect(limits.get("max-size")).toBeGreaterThan(0);
      expect(limits.get(version.lifetimeKey)).toBeGreaterThan(0);
    }
  });
});

describe("OPTIONS", () => {
  it("tells the limits and that parts may be appended", async () => {
    const { api } = target();
    const answer = await api.authorized({ method: "OPTIONS", url: target().api.url.href });
    expectTaken(answer, 204);
    expect(answer.header("accept-patch")).toMatch(/\bapplication\/partial-upload\b/);
    if (givenUrl !== undefined) return;
    expect(answer.limits.get("max-size")).toBeGreaterThan(0);
    expect(answer.header("allow")).toMatch(/\bPOST\b/);
  });

  it("tells so to who has no token, too", async (context) => {
    target().hawser(context);
    const answer = await target().api.request({ method: "OPTIONS", url: target().api.url.href });
    expectTaken(answer, 204);
    expect(answer.header("accept-patch")).toMatch(/\bapplication\/partial-upload\b/);
    // Whose limits hold is not known yet: then the draft has "min-size=0" for an empty value.
    expect(answer.header("upload-limit")).toBe("min-size=0");
  });

  it("announces no less than an upload then has", async () => {
    const { api } = target();
    const announced = await api.authorized({ method: "OPTIONS", url: target().api.url.href });
    const created = await api.create();
    const has = created.limits.get("max-size") ?? Infinity;
    expect(announced.limits.get("max-size") ?? 0).toBeLessThanOrEqual(has);
  });
});

describe("the largest size", () => {
  const lengthMax = 1_000;

  it("refuses an upload that says it is longer, with 413 and the limits", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const small = api.as((await graph.secondApp(context, { lengthMax })).token);
    for (const part of [{ length: 1_001 }, { bytes, complete: true }]) {
      const answer = await small.create(part);
      expectProblem(answer, { status: 413 });
      expect(answer.limits.get("max-size")).toBe(lengthMax);
      expect(answer.header("location")).toBeUndefined();
    }
  });

  it("refuses an append that says the upload is longer, with 413 and the limits", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const small = api.as((await graph.secondApp(context, { lengthMax })).token);
    const url = await small.begun();
    const answer = await small.append(url, 0, { bytes, complete: true });
    expectProblem(answer, { status: 413 });
    expect(answer.limits.get("max-size")).toBe(lengthMax);
    expect(await small.offset(url)).toBe(0);
  });

  it("is told as the largest Integer there is where an app takes more", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const large = { lengthMax: Number.MAX_SAFE_INTEGER };
    const big = api.as((await graph.secondApp(context, large)).token);
    const options = { method: "OPTIONS", url: big.url.href };
    for (const [answer, status] of [
      [await big.create(), 201],
      [await big.authorized(options), 204],
    ] as const) {
      expectTaken(answer, status);
      expect(answer.limits.get("max-size")).toBe(999_999_999_999_999);
    }
  });

  it("stops one whose length nobody said", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const small = api.as((await graph.secondApp(context, { lengthMax })).token);
    const url = await small.begun();
    const answer = await small.append(url, 0, { bytes, chunked: true });
    expectProblem(answer, { status: 413 });
    expect(answer.limits.get("max-size")).toBe(lengthMax);
    const status = await small.head(url);
    if (status.status === 204) expect(status.offset).toBeLessThanOrEqual(lengthMax);
  });
});
