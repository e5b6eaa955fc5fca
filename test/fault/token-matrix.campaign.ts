import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { asError } from "../../packages/server/src/base/errors.ts";
import { recordPlanted } from "../support/trials.ts";
import { spoiltProgram } from "./planted/spoilt-program.ts";
import { recordBadInput } from "./record-bad-input.ts";
import { type Case, otherAppId, TokenMatrix, type Tokens } from "./token-matrix.ts";
import {
  type Carried,
  nodeRoutes,
  standardRoutes,
  type TokenRoute,
  uploadRoutes,
} from "./token-routes.ts";

/* Every route with every kind of token in every place; the contract's answers as a table. */

const fault = "each kind of token in each place of each route";
let matrix: TokenMatrix;

beforeAll(async () => {
  matrix = await TokenMatrix.open();
});

afterAll(async () => {
  await matrix[Symbol.asyncDispose]();
  await recordBadInput({ fault, n: matrix.trials, seed: 0 });
});

const missing = { status: 401, type: "OAuthException", code: 104 };
const invalid = { status: 401, type: "OAuthException", code: 190 };
const expired = { ...invalid, subcode: 463 };
const forbidden = { status: 403, type: "OAuthException", code: 200 };
const malformed = { status: 400, type: "OAuthException", code: 100 };
const unknownNode = { status: 404, type: "GraphMethodException", code: 100, subcode: 33 };
const unknownHandle = { ...malformed, subcode: 2494102 };

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

const onNodes = [...headerCases, ...nodeCases];
const onUploads = [...headerCases, ...uploadCases];

/** Every route, with the tokens that it meets. */
const table: readonly { readonly route: TokenRoute; readonly cases: readonly Case[] }[] = [
  ...nodeRoutes.map((route) => ({
    route,
    cases: route.method === "POST" ? [...onNodes, ...bodyCases] : onNodes,
  })),
  ...[...uploadRoutes, ...standardRoutes].map((route) => ({ route, cases: onUploads })),
];

describe.for(table)("$route.name", ({ route, cases }) => {
  it.for(cases)("token: $name", async (each) => {
    await matrix.tryCase(route, each);
  });
});

it("a route that asks for no scope is noticed", async () => {
  await using spoilt = await TokenMatrix.open(spoiltProgram("everybody-publishes"));
  for (const { route, cases } of table) {
    for (const each of cases) {
      const broken = await spoilt.tryCase(route, each).then(() => undefined, asError);
      if (broken === undefined) continue;
      const as = `${route.name}, token: ${each.name}: ${broken.message.split("\n")[0] ?? ""}`;
      expect(as).toMatch(/^publish, token: lacks the scope: /);
      const planted = "no route asks for the scope to publish";
      await recordPlanted({ harness: fault, planted, noticedAfter: spoilt.trials, as });
      return;
    }
  }
  expect.unreachable("nothing was noticed");
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
    const upload =
      (await matrix.api.status(matrix.shared.upload, "url")).text("url").split("/").at(-1) ?? "";
    const all = code === "scope_missing" ? routes : [...routes, ...pageRoutes];
    for (const [method, template, body] of all) {
      const path = template.replace("UPLOAD", upload);
      const before = await matrix.everything();
      const { headers = [], query } = carried(matrix.tokens);
      const answer = await matrix.send({
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
      expect(await matrix.everything(), `${method} ${path} changed something`).toBe(before);
    }
  });

  it("health needs no token and minds none", async () => {
    for (const headers of [[], ["OAuth nobody-knows-it"], [`OAuth ${matrix.tokens.expired}`]]) {
      for (const path of ["/healthz", "/readyz"]) {
        const lines = headers.map((value) => ["Authorization", value] as const);
        const answer = await matrix.send({ method: "GET", path, headers: lines, body: "" });
        expect(answer.status).toBe(200);
      }
    }
  });
});
