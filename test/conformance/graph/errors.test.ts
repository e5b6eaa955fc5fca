import { describe, expect, it } from "vitest";

import { everyUploadScope } from "../../support/cli.ts";
import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { badSignature, expectChallenge, expectGraphError, gone } from "./expect-error.ts";
import { expectUploadError, malformed, noToken, staleOffset } from "./expect-error.ts";
import { unknownNode, unknownToken } from "./expect-error.ts";
import { type GraphAnswer, queryOf, uploadPath } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const good = { file_name: "a.pdf", file_length: "10", file_type: "application/pdf" };
const ten = patternBytes({ seed: 71, length: 10 });

const forbidden = { ...noToken, status: 403 } as const;

describe("the order in which a request is judged", () => {
  it("the token comes before the signature of the id", async () => {
    const { api } = target();
    const path = uploadPath("upload:AAAA?sig=ARAAAAAAAAAAAAAAAAA");
    expectUploadError(await api.request({ method: "GET", path }), noToken);
  });

  it("the signature of the id comes before the offset", async () => {
    const { api } = target();
    const id = "upload:AAAA?sig=ARAAAAAAAAAAAAAAAAA";
    const answer = await api.authorized({ method: "POST", path: uploadPath(id), body: ten });
    expectUploadError(answer, badSignature);
  });

  it("whose upload it is comes before the offset", async (context) => {
    const { api } = target();
    const other = await target().secondApp(context);
    const id = await api.start();
    expectUploadError(await other.append({ id, offset: 99, bytes: ten }), unknownNode);
  });

  it("the offset comes before the length", async () => {
    const { api } = target();
    const id = await api.start();
    const bytes = Buffer.alloc(100);
    expectUploadError(await api.append({ id, offset: 1, bytes }), staleOffset);
  });
});

describe("a node that is unknown or not yours", () => {
  it("an app nobody knows is 404 at every edge", async () => {
    const { api } = target();
    const unknown = api.as({ appId: "999999999999999999" });
    const query = queryOf({ ...good, access_token: api.token });
    const path = `/v21.0/${unknown.appId}`;
    const answers = [
      await api.request({ method: "POST", path: `${path}/uploads?${query}` }),
      await api.get(`${path}/uploads`),
      await api.get(`${path}/files`),
      await api.postForm(`${path}/files`, { handle: await api.upload(ten) }),
    ];
    for (const answer of answers) expectGraphError(answer, unknownNode);
  });

  it("an app id that is none is answered the same way, not as a server error", async () => {
    const { api } = target();
    for (const appId of ["None", "undefined", "1".repeat(40), "0", "me"]) {
      const answer = await api.as({ appId }).startWith({ ...good, access_token: api.token });
      expectGraphError(answer, unknownNode);
    }
  });

  it("another app of this server gives the same answer as one that does not exist", async (context) => {
    const { api } = target();
    const other = await target().secondApp(context);
    const known = await api.as({ appId: other.appId }).startWith({
      ...good,
      access_token: api.token,
    });
    expectGraphError(known, unknownNode);
    const unknown = await api.as({ appId: "999999999999999999" }).startWith({
      ...good,
      access_token: api.token,
    });
    const shape = (answer: typeof known, appId: string): string =>
      String(answer.record("error").message).replaceAll(appId, "<app>");
    expect(shape(known, other.appId)).toBe(shape(unknown, "999999999999999999"));
  });

  it("another app's upload is 404 at every step, in both envelopes", async (context) => {
    const { api } = target();
    const other = await target().secondApp(context);
    const id = await api.start();
    expectUploadError(await other.status(id), unknownNode);
    expectUploadError(await other.append({ id, offset: 0, bytes: ten }), unknownNode);
    expectUploadError(await other.delete(uploadPath(id)), unknownNode);
    expect(await api.offset(id)).toBe(0);
  });
});

describe("a token that lacks a scope is 403", () => {
  function expectForbidden(code: unknown): void {
    expect([200, 10]).toContain(code);
  }

  it("without create it cannot start", async (context) => {
    const api = await target().scopedApi(context, ["append", "read"]);
    const answer = await api.startWith({ ...good, access_token: api.token });
    const code = Number(answer.record("error").code);
    expectForbidden(code);
    expectGraphError(answer, { ...forbidden, code });
  });

  it("without append it cannot upload, and without read or append not ask", async (context) => {
    const id = await target().api.start();
    const api = await target().scopedApi(context, ["create", "publish"]);
    const answers = [
      await api.append({ id, offset: 0, bytes: ten }),
      await api.status(id),
      await api.delete(uploadPath(id)),
    ];
    for (const answer of answers) {
      const code = Number(answer.record("error").code);
      expectForbidden(code);
      expectUploadError(answer, { ...forbidden, code });
    }
    expect(await target().api.offset(id)).toBe(0);
  });

  it("without publish it cannot publish, and without delete not delete", async (context) => {
    const { api: all } = target();
    const handle = await all.upload(ten);
    const fileId = await all.publish(handle);
    const api = await target().scopedApi(context, ["create", "append", "read"]);
    const answers = [
      await api.postForm(`/v21.0/${api.appId}/files`, { handle }),
      await api.delete(`/v21.0/${fileId}`),
    ];
    for (const answer of answers) {
      const code = Number(answer.record("error").code);
      expectForbidden(code);
      expectGraphError(answer, { ...forbidden, code });
    }
    expect((await all.content(fileId)).equals(ten)).toBe(true);
  });
});

describe("a token that was good once", () => {
  it("expired is 401 with code 190 and subcode 463 at every step", async (context) => {
    const { api } = target();
    const id = await api.start();
    const token = await target().cli(context).createToken({
      app: api.appId,
      scopes: everyUploadScope,
      expiresInSeconds: 1,
    });
    const expiring = api.as({ token });
    const expired = { ...unknownToken, subcode: 463 };
    const refused = await eventually(
      async () => {
        const answer = await expiring.status(id);
        return answer.status === 401 ? answer : undefined;
      },
      { what: "the token to expire", intervalMs: 100 },
    );
    expectUploadError(refused, expired);
    expectChallenge(refused, "invalid_token");
    expectUploadError(await expiring.append({ id, offset: 0, bytes: ten }), expired);
    expectGraphError(await expiring.startWith({ ...good, access_token: token }), expired);
  });

  it("revoked is 401 with code 190 soon after", async (context) => {
    const { api } = target();
    const cli = target().cli(context);
    const token = await cli.createToken({ app: api.appId, scopes: everyUploadScope });
    const id = await api.start();
    const revoked = api.as({ token });
    expect((await revoked.status(id)).status).toBe(200);
    await cli.revokeToken(token);
    // Each of several nodes may go on for a moment with what it knew.
    const soon = (ask: () => Promise<GraphAnswer>): Promise<GraphAnswer> =>
      eventually(
        async () => {
          const answer = await ask();
          return answer.status === 401 ? answer : undefined;
        },
        { what: "the revocation to take effect", intervalMs: 100 },
      );
    expectUploadError(await soon(() => revoked.status(id)), unknownToken);
    const start = (): Promise<GraphAnswer> => revoked.startWith({ ...good, access_token: token });
    expectGraphError(await soon(start), unknownToken);
  });
});

describe("an upload that was given up", () => {
  it("is 410 in both envelopes for everything that is asked of it", async () => {
    const { api } = target();
    const id = await api.start();
    await api.delete(uploadPath(id));
    expectUploadError(await api.status(id), gone);
    expectUploadError(await api.append({ id, offset: 0, bytes: ten }), gone);
  });
});

describe("what a foreign server cannot be made to do on request", () => {
  const unreachable = [
    ["429, over a rate limit", "no limit is set by default"],
    ["500, our fault", "needs a fault planted inside the server"],
    ["503, another writer does not let go", "needs a disk that hangs"],
  ] as const;

  it.for(unreachable)("%s", ([, reason], context) => {
    context.skip(reason);
  });

  it("every 400 about a parameter says what is wrong and what is valid", async () => {
    const { api } = target();
    const fields = { ...good, file_length: "-5", access_token: api.token };
    const answer = await api.startWith(fields);
    expectGraphError(answer, {
      ...malformed,
      message: /file_length.*(1|decimal|positive|integer)/,
    });
  });
});
