import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectTaken } from "./expect-answer.ts";
import { expectProblem } from "./expect-problem.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();
const bytes = patternBytes({ seed: 38, length: 1_000 });

describe("Upload-Offset", () => {
  it.for(["-1", "0.0", "?0", '"0"', "zero", "0x0", "0, 0", "", "9999999999999999"])(
    "of the value %s is ignored entirely, so that the append lacks it",
    async (value) => {
      const { api } = target();
      const url = await api.begun();
      const answer = await api.append(url, 0, { bytes, headers: { "Upload-Offset": value } });
      expectProblem(answer, { status: 400 });
      expect(await api.offset(url)).toBe(0);
    },
  );

  it("may have parameters, which mean nothing", async () => {
    const { api } = target();
    const url = await api.begun();
    const answer = await api.append(url, 0, { bytes, headers: { "Upload-Offset": "0;a=1" } });
    expectTaken(answer, 204);
  });
});

describe("Upload-Complete", () => {
  it.for(["1", "true", "?2", "?1, ?1", '"?1"', "?", ""])(
    "of the value %s is ignored entirely, so that the append lacks it",
    async (value) => {
      const { api } = target();
      const url = await api.begun();
      const answer = await api.append(url, 0, { bytes, headers: { "Upload-Complete": value } });
      expectProblem(answer, { status: 400 });
      expect(await api.offset(url)).toBe(0);
    },
  );

  it("may have parameters, which mean nothing", async () => {
    const { api } = target();
    const url = await api.begun();
    const headers = { "Upload-Complete": "?1;a" };
    const answer = await api.append(url, 0, { bytes, headers });
    expect(api.completeness(answer)).toBe(true);
  });
});

describe("Upload-Length", () => {
  it.for(["-1", "10.0", "?1", "ten", '"1000"', "1, 2"])(
    "of the value %s is ignored entirely",
    async (value) => {
      const { api } = target();
      const url = await api.begun({ headers: { "Upload-Length": value } });
      expect((await api.head(url)).header("upload-length")).toBeUndefined();
    },
  );
});

describe("Upload-Draft-Interop-Version", () => {
  it.for(["2", "11", "99", "10.0", "ten", "10, 9"])(
    "of the value %s, which is none of ours, has the newest rules",
    async (value) => {
      const api = target().api.unnamed();
      const headers = { "Upload-Draft-Interop-Version": value };
      const { location: url } = await api.create({ headers });
      const answer = await api.append(url, 0, { bytes, headers });
      expectTaken(answer, 204);
      expect(answer.interim).toEqual([]);
    },
  );

  it("that is missing has the newest rules", async () => {
    const api = target().api.unnamed();
    const { location: url } = await api.create();
    expectTaken(await api.append(url, 0, { bytes }), 204);
  });
});

describe("a request that contradicts itself", () => {
  it("with two Authorization headers is refused", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    using connection = await graph.connect(context);
    await connection.sendHead({
      method: "POST",
      path: api.url.pathname,
      headers: [
        ...Object.entries(api.authorization),
        ...Object.entries(api.authorization),
        ["Upload-Complete", "?0"],
        ["Content-Length", "0"],
      ],
    });
    expect((await connection.answer()).status).toBe(400);
  });
});
