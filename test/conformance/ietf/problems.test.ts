import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectEnded } from "./expect-answer.ts";
import { expectProblem } from "./expect-problem.ts";
import { givenUrl } from "./given-server.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();
const bytes = patternBytes({ seed: 39, length: 1_000 });

describe("a refusal", () => {
  it("of a token that is not known is 401 and says what is wrong with it", async (context) => {
    target().hawser(context);
    const answer = await target().api.as("not-a-token").create();
    expectProblem(answer, { status: 401 });
    expect(answer.header("www-authenticate")).toContain('error="invalid_token"');
  });

  it("of a token without the right is 403 and names the right", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const weak = await graph.scopedApi(context, ["read"]);
    const answer = await api.as(weak.token).create();
    expectProblem(answer, { status: 403 });
    expect(answer.json.detail).toContain("create");
    expect(answer.header("www-authenticate")).toContain('error="insufficient_scope"');
  });

  it("of content by a token that may only begin uploads is 403, and nothing is begun", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const weak = await graph.scopedApi(context, ["create"]);
    const answer = await api.as(weak.token).create({ bytes });
    expectProblem(answer, { status: 403 });
    expect(answer.header("location")).toBeUndefined();
  });

  it("names what its log line is found by", async (context) => {
    target().hawser(context);
    const answer = await target().api.as("not-a-token").create();
    expect(answer.json.trace).toEqual(expect.stringMatching(/^A[\w-]{10}$/));
  });

  it("of HEAD has no content, and the same status and fields", async () => {
    const { api } = target();
    const answer = await api.head(await target().nowhere());
    expectEnded(answer, 404);
    expect(answer.body).toHaveLength(0);
    if (givenUrl !== undefined) return;
    expect(answer.header("content-type")).toMatch(/^application\/problem\+json/);
  });
});
