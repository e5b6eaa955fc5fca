import { describe, expect, it } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { expectEnded, expectTaken } from "./expect-answer.ts";
import { expectProblem } from "./expect-problem.ts";
import { useIetfTarget } from "./ietf-target.ts";
import { interopVersions } from "./versions.ts";

const target = useIetfTarget();
const bytes = patternBytes({ seed: 36, length: 2_000 });

describe.each(interopVersions)("upload cancellation, interop $interop", (version) => {
  it("answers 204, and the upload is no longer active", async () => {
    const api = target().at(version);
    const url = await api.begun({ bytes });
    const answer = await api.delete(url);
    expectTaken(answer, 204);
    expectEnded(await api.head(url), version.endedStatus);
    expectEnded(await api.delete(url), version.endedStatus);
  });

  it("with fields of an append is refused where the draft says so", async () => {
    const api = target().at(version);
    const url = await api.begun();
    const answer = await api.delete(url, { "Upload-Offset": "0" });
    if (version.refusesForeignFields) {
      expectProblem(answer, { status: 400 });
      expect(await api.offset(url)).toBe(0);
    } else expectTaken(answer, 204);
  });
});

describe("upload cancellation", () => {
  it("of what was never begun is 404", async () => {
    const nowhere = await target().nowhere();
    expectProblem(await target().api.delete(nowhere), { status: 404 });
  });

  it("of a complete upload ends it, too, and what was published of it stays", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const { location: url, json } = await api.create({ bytes, complete: true });
    const file = await graph.api.publish(String(json.h));
    expectTaken(await api.delete(url), 204);
    expectEnded(await api.head(url), 410);
    expect((await graph.api.content(file)).equals(bytes)).toBe(true);
  });

  it("ends a request that is still being sent", async (context) => {
    const { api } = target();
    const url = await api.begun();
    const headers = { "Content-Length": "1000000" };
    const append = { url, offset: 0, complete: true, headers };
    using connection = await target().beginAppend(context, append);
    await connection.write(bytes);
    const answer = await api.delete(url);
    expectTaken(answer, 204);
    expect(await connection.peerClosed()).not.toBe("open");
    const gone = async () => ((await api.head(url)).status >= 400 ? true : undefined);
    await eventually(gone, { what: "the upload to be gone" });
  });

  it("needs the right to delete", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const weak = await graph.scopedApi(context, ["create", "append", "read"]);
    const url = await api.begun();
    expectProblem(await api.as(weak.token).delete(url), { status: 403 });
    expect(await api.offset(url)).toBe(0);
  });
});
