import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { everyUploadScope, type Scope } from "../support/cli.ts";
import { type RawResponse, rawRequest } from "../support/raw-http.ts";
import { ServerProcess } from "../support/server-process.ts";
import { type Expected, expectRefused } from "./expect-refused.ts";
import { adminTokenOf } from "./hostile-setting.ts";
import {
  type Belongings,
  belongingsOf,
  type Carried,
  nodeRoutes,
  requestOf,
  standardRoutes,
  type TokenRoute,
  uploadRoutes,
} from "./token-routes.ts";
import { recordBadInput } from "./record-bad-input.ts";

/* Every route with every kind of token in every place; the contract's answers as a table. */

interface Tokens {
  readonly good: string;
  readonly expired: string;
  readonly revoked: string;
  readonly foreign: string;
  readonly appToken: string;
  readonly admin: string;
  /** Everything but the one scope. */
  readonly without: ReadonlyMap<Scope, string>;
}

const otherAppId = "777000000001";
let server: ServerProcess;
let api: GraphApi;
let administration: GraphApi;
let tokens: Tokens;
let shared: Belongings;
let trials = 0;

async function mint(more: object): Promise<string> {
  const made = await administration.postJson("/admin/v1/tokens", { appId: api.appId, ...more });
  if (made.status !== 201) throw new Error(made.body.toString());
  return made.text("token");
}

beforeAll(async () => {
  server = await ServerProcess.start();
  const { address: url, appId, token, appSecret } = server;
  api = new GraphApi({ url, appId, token });
  const admin = await adminTokenOf(server);
  administration = api.as({ token: admin });
  await administration.postJson("/admin/v1/apps", { id: otherAppId });
  const revoked = await mint({});
  await administration.postJson("/admin/v1/tokens/revoke", { token: revoked });
  const without = new Map<Scope, string>();
  for (const scope of everyUploadScope) {
    const scopes = everyUploadScope.filter((each) => each !== scope);
    without.set(scope, await mint({ scopes }));
  }
  tokens = {
    good: token,
    expired: await mint({ expiresAt: "2001-01-01T00:00:00Z" }),
    revoked,
    foreign: await mint({ appId: otherAppId }),
    appToken: `${appId}|${appSecret}`,
    admin,
    without,
  };
  shared = await belongingsOf(api);
});

afterAll(async () => {
  await server.remove();
  await recordBadInput({
    fault: "each kind of token in each place of each route",
    n: trials,
    seed: 0,
  });
});

const missing = { status: 401, type: "OAuthException", code: 104 };
const invalid = { status: 401, type: "OAuthException", code: 190 };
const expired = { ...invalid, subcode: 463 };
const forbidden = { status: 403, type: "OAuthException", code: 200 };
const malformed = { status: 400, type: "OAuthException", code: 100 };
const unknownNode = { status: 404, type: "GraphMethodException", code: 100, subcode: 33 };
const unknownHandle = { ...malformed, subcode: 2494102 };

interface Case {
  readonly name: string;
  readonly carried: (tokens: Tokens, route: TokenRoute) => Carried;
  readonly expected: (route: TokenRoute) => Expected | "taken";
}

const header = (value: string): Carried => ({ headers: [value] });
const taken = () => "taken" as const;
const ofForeign = ({ foreign }: TokenRoute) => {
  if (foreign === "own") return taken();
  return foreign === "node" ? unknownNode : unknownHandle;
};
const lacking = ({ without }: Tokens, { scope }: TokenRoute): string => without.get(scope) ?? "";

/** A header counts on every route alike. */
const headerCases: readonly Case[] = [
  { name: "no token", carried: () => ({}), expected: () => missing },
  { name: "unknown", carried: () => header("OAuth nobody-knows-it"), expected: () => invalid },
  { name: "too long", carried: () => header(`OAuth ${"x".repeat(300)}`), expected: () => invalid },
  { name: "not ASCII", carried: () => header("OAuth tökén"), expected: () => invalid },
  { name: "another scheme", carried: () => header("Basic dTpw"), expected: () => invalid },
  { name: "no scheme", carried: ({ good }) => header(good), expected: () => invalid },
  { name: "a scheme alone", carried: () => header("OAuth"), expected: () => invalid },
  { name: "expired", carried: (all) => header(`OAuth ${all.expired}`), expected: () => expired },
  { name: "revoked", carried: (all) => header(`OAuth ${all.revoked}`), expected: () => invalid },
  {
    name: "another app's",
    carried: ({ foreign }) => header(`OAuth ${foreign}`),
    expected: ofForeign,
  },
  {
    name: "lacks the scope",
    carried: (all, route) => header(`OAuth ${lacking(all, route)}`),
    expected: () => forbidden,
  },
  {
    name: "administration's",
    carried: ({ admin }) => header(`OAuth ${admin}`),
    expected: () => forbidden,
  },
  {
    name: "two in one header",
    carried: ({ good }) => header(`OAuth ${good} ${good}`),
    expected: () => malformed,
  },
  {
    name: "the header twice, equal",
    carried: ({ good }) => ({ headers: [`OAuth ${good}`, `OAuth ${good}`] }),
    expected: () => malformed,
  },
  {
    name: "the header twice, different",
    carried: ({ good }) => ({ headers: [`OAuth ${good}`, "OAuth nobody-knows-it"] }),
    expected: () => malformed,
  },
  {
    name: "app token, wrong secret",
    carried: ({ appToken }) => header(`OAuth ${appToken}x`),
    expected: () => invalid,
  },
  {
    name: "app token, another app's id",
    carried: ({ appToken }) => header(`OAuth ${otherAppId}|${appToken.split("|")[1] ?? ""}`),
    expected: () => invalid,
  },
  { name: "app token", carried: ({ appToken }) => header(`OAuth ${appToken}`), expected: taken },
  { name: "OAuth", carried: ({ good }) => header(`OAuth ${good}`), expected: taken },
  { name: "Bearer", carried: ({ good }) => header(`Bearer ${good}`), expected: taken },
];

/** Query and body count on nodes. */
const nodeCases: readonly Case[] = [
  { name: "in the query", carried: ({ good }) => ({ query: good }), expected: taken },
  {
    name: "unknown, in the query",
    carried: () => ({ query: "nobody-knows-it" }),
    expected: () => invalid,
  },
  {
    name: "expired, in the query",
    carried: (all) => ({ query: all.expired }),
    expected: () => expired,
  },
  {
    name: "lacks the scope, in the query",
    carried: (all, route) => ({ query: lacking(all, route) }),
    expected: () => forbidden,
  },
  {
    name: "one in the header, another in the query",
    carried: ({ good }) => ({ headers: [`OAuth ${good}`], query: "nobody-knows-it" }),
    expected: () => malformed,
  },
  {
    name: "the same in header and query",
    carried: ({ good }) => ({ headers: [`OAuth ${good}`], query: good }),
    expected: taken,
  },
];

const bodyCases: readonly Case[] = [
  { name: "in the body", carried: ({ good }) => ({ body: good }), expected: taken },
  {
    name: "revoked, in the body",
    carried: (all) => ({ body: all.revoked }),
    expected: () => invalid,
  },
  {
    name: "one in the query, another in the body",
    carried: ({ good }) => ({ query: good, body: "nobody-knows-it" }),
    expected: () => malformed,
  },
];

/** On the upload's own routes they do not. */
const uploadCases: readonly Case[] = [
  { name: "in the query", carried: ({ good }) => ({ query: good }), expected: () => missing },
  { name: "in the body", carried: ({ good }) => ({ body: good }), expected: () => missing },
  {
    name: "a bad one in the query beside a good header",
    carried: ({ good }) => ({ headers: [`OAuth ${good}`], query: "nobody-knows-it" }),
    expected: taken,
  },
  {
    name: "a good one in the query beside a bad header",
    carried: ({ good }) => ({ headers: ["OAuth nobody-knows-it"], query: good }),
    expected: () => invalid,
  },
];

/** Every row of a list, page by page. */
async function pages(path: string, after = ""): Promise<string> {
  const answer = await api.get(`${path}?limit=100${after}`);
  const body = answer.body.toString();
  if (answer.status !== 200) throw new Error(body);
  const next = /"after":"([^"]+)"/.exec(body)?.[1];
  return next === undefined ? body : body + (await pages(path, `&after=${next}`));
}

/** All that a refused request could have changed. */
async function everything(): Promise<string> {
  const lists = await Promise.all([
    pages(`/v21.0/${api.appId}/uploads`),
    pages(`/v21.0/${api.appId}/files`),
  ]);
  const answers = await Promise.all([
    api.as({ appId: otherAppId, token: tokens.foreign }).get(`/v21.0/${otherAppId}/uploads`),
    api.status(shared.upload, "file_length,status,crc32"),
    administration.get("/admin/v1/apps"),
    administration.get("/admin/v1/tokens"),
  ]);
  const bad = answers.find(({ status }) => status !== 200);
  if (bad !== undefined) throw new Error(bad.body.toString());
  return [...lists, ...answers.map(({ body }) => body.toString())].join("\n");
}

async function send(request: ReturnType<typeof requestOf>): Promise<RawResponse> {
  const { method, path, headers, body } = request;
  const address = { host: "127.0.0.1", port: server.port };
  trials += 1;
  return await rawRequest(address, { method, path, headers }, body);
}

async function tryCase(route: TokenRoute, { carried, expected }: Case): Promise<void> {
  const wanted = expected(route);
  const { appId } = api;
  if (wanted === "taken") {
    const belongings = await belongingsOf(api);
    const answer = await send(requestOf(route, carried(tokens, route), { appId, belongings }));
    const statuses = route.standard === undefined ? [200] : [200, 201, 204];
    expect(statuses, answer.body.toString()).toContain(answer.status);
    return;
  }
  const before = await everything();
  const request = requestOf(route, carried(tokens, route), { appId, belongings: shared });
  expectRefused(await send(request), wanted, route);
  expect(await everything(), "something changed").toBe(before);
}

describe.for(nodeRoutes)("$name", (route) => {
  const cases = [...headerCases, ...nodeCases, ...(route.method === "POST" ? bodyCases : [])];
  it.for(cases)("token: $name", async (each) => {
    await tryCase(route, each);
  });
});

describe.for([...uploadRoutes, ...standardRoutes])("$name", (route) => {
  it.for([...headerCases, ...uploadCases])("token: $name", async (each) => {
    await tryCase(route, each);
  });
});

describe("administration", () => {
  const routes: readonly (readonly [method: string, path: string, body: string])[] = [
    ["POST", "/admin/v1/apps", "{}"],
    ["GET", "/admin/v1/apps", ""],
    ["GET", `/admin/v1/apps/${otherAppId}`, ""],
    ["PATCH", `/admin/v1/apps/${otherAppId}`, '{"name":"changed"}'],
    ["POST", "/admin/v1/tokens", `{"appId":"${otherAppId}"}`],
    ["GET", "/admin/v1/tokens", ""],
    ["POST", "/admin/v1/tokens/revoke", '{"token":"x"}'],
    ["POST", "/admin/v1/sweep", "{}"],
    ["POST", "/admin/v1/verify", "{}"],
    ["GET", "/admin/v1/live", ""],
    ["POST", "/admin/v1/uploads/UPLOAD/cancel", "{}"],
    ["POST", "/admin/v1/uploads/UPLOAD/expire", "{}"],
    ["GET", "/admin/v1/nothing", ""],
  ];
  /** Of the page, for every token that is valid and has the scope. */
  const pageRoutes: typeof routes = [
    ["GET", "/api/v1/me", ""],
    ["POST", "/api/v1/previews", '{"file":"1"}'],
  ];
  const cases: readonly (readonly [
    name: string,
    carried: (tokens: Tokens) => Carried,
    status: number,
    code: string,
  ])[] = [
    ["no token", () => ({}), 401, "token_missing"],
    ["unknown", () => header("OAuth nobody-knows-it"), 401, "token_invalid"],
    ["another scheme", () => header("Basic dTpw"), 401, "token_invalid"],
    ["expired", (all) => header(`OAuth ${all.expired}`), 401, "token_expired"],
    ["revoked", (all) => header(`OAuth ${all.revoked}`), 401, "token_invalid"],
    ["an upload token", ({ good }) => header(`OAuth ${good}`), 403, "scope_missing"],
    ["an app token", ({ appToken }) => header(`OAuth ${appToken}`), 403, "scope_missing"],
    ["in the query", ({ admin }) => ({ query: admin }), 401, "token_missing"],
    [
      "the header twice",
      ({ admin }) => ({ headers: [`OAuth ${admin}`, `OAuth ${admin}`] }),
      400,
      "request_malformed",
    ],
  ];

  it.for(cases)("token: %s: refused on every route", async ([, carried, status, code]) => {
    const upload = (await api.status(shared.upload, "url")).text("url").split("/").at(-1) ?? "";
    const all = code === "scope_missing" ? routes : [...routes, ...pageRoutes];
    for (const [method, template, body] of all) {
      const path = template.replace("UPLOAD", upload);
      const before = await everything();
      const { headers = [], query } = carried(tokens);
      const answer = await send({
        method,
        path: query === undefined ? path : `${path}?access_token=${query}`,
        headers: [
          ...headers.map((value) => ["Authorization", value] as const),
          ["Content-Type", "application/json"],
          ["Content-Length", `${body.length}`],
        ],
        body,
      });
      expect(answer.status, `${method} ${path}: ${answer.body.toString()}`).toBe(status);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code } });
      expect(await everything(), `${method} ${path} changed something`).toBe(before);
    }
  });

  it("health needs no token and minds none", async () => {
    for (const headers of [[], ["OAuth nobody-knows-it"], [`OAuth ${tokens.expired}`]]) {
      for (const path of ["/healthz", "/readyz"]) {
        const lines = headers.map((value) => ["Authorization", value] as const);
        const answer = await send({ method: "GET", path, headers: lines, body: "" });
        expect(answer.status).toBe(200);
      }
    }
  });
});
