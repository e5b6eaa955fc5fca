import { describe, expect, it } from "vitest";

import { expectChallenge, expectGraphError, malformed, noToken } from "./expect-error.ts";
import { unknownToken } from "./expect-error.ts";
import { type GraphAnswer, queryOf } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const good = { file_name: "a.pdf", file_length: "10", file_type: "application/pdf" };
const stranger = "a-token-nobody-knows-0123456789";

async function withHeader(authorization: string): Promise<GraphAnswer> {
  return target().api.startWith(good, { Authorization: authorization });
}

describe("starting: where the token may be", () => {
  it.for(["OAuth", "Bearer", "oauth", "OAUTH", "bearer", "BEARER", "oAuTh", "bEaReR"])(
    "the scheme %s of the Authorization header is read",
    async (scheme) => {
      const answer = await withHeader(`${scheme} ${target().api.token}`);
      expect(answer.status, answer.body.toString()).toBe(200);
    },
  );

  it("the same token in the header, the query and the body is one token", async () => {
    const { api } = target();
    const query = queryOf({ ...good, access_token: api.token });
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const answer = await api.authorized({
      method: "POST",
      path: `/v21.0/${api.appId}/uploads?${query}`,
      headers,
      body: queryOf({ access_token: api.token }),
    });
    expect(answer.status, answer.body.toString()).toBe(200);
  });
});

describe("starting without a good token", () => {
  it("no token at all is 401 with code 104 and a challenge", async () => {
    const answer = await target().api.startWith(good);
    expectGraphError(answer, noToken);
    expectChallenge(answer, "invalid_request");
  });

  it("an unknown token is 401 with code 190 and a challenge, wherever it stands", async () => {
    const inQuery = await target().api.startWith({ ...good, access_token: stranger });
    for (const answer of [inQuery, await withHeader(`OAuth ${stranger}`)]) {
      expectGraphError(answer, unknownToken);
      expectChallenge(answer, "invalid_token");
    }
  });

  it("a malformed token is 401 with code 190", async () => {
    for (const token of ["a|b", "x".repeat(256), "tökén", "undefined", "None"]) {
      const answer = await target().api.startWith({ ...good, access_token: token });
      expectGraphError(answer, unknownToken);
    }
  });

  it("another scheme, or a scheme without a token, is 401", async () => {
    for (const authorization of ["Basic dXNlcjpwYXNz", "OAuth", "Bearer ", target().api.token]) {
      const answer = await withHeader(authorization);
      expect(answer.status, authorization).toBe(401);
      expect(answer.record("error").type).toBe("OAuthException");
    }
  });

  it("the token is judged before the parameters", async () => {
    expectGraphError(await target().api.startWith({}), noToken);
  });

  it("the message never repeats the token", async () => {
    const answer = await target().api.startWith({ ...good, access_token: stranger });
    expect(JSON.stringify([answer.json, answer.headers])).not.toContain(stranger);
  });
});

describe("starting with two different tokens", () => {
  function expectRefused(answer: GraphAnswer): void {
    expectGraphError(answer, malformed);
    expectChallenge(answer, "invalid_request");
  }

  it("one in the header and one in the query is refused", async () => {
    const { api } = target();
    const both = { ...good, access_token: stranger };
    expectRefused(await api.startWith(both, api.authorization));
  });

  it("one in the query and one in the body is refused", async () => {
    const { api } = target();
    const query = queryOf({ ...good, access_token: api.token });
    const answer = await api.request({
      method: "POST",
      path: `/v21.0/${api.appId}/uploads?${query}`,
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: queryOf({ access_token: stranger }),
    });
    expectRefused(answer);
  });

  it("two in the query are refused", async () => {
    const { api } = target();
    const tokens = [
      ["access_token", api.token],
      ["access_token", stranger],
    ] as const;
    expectRefused(await api.startWith([...Object.entries(good), ...tokens]));
  });
});
