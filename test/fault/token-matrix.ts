import { expect } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { everyUploadScope, type Scope } from "../support/cli.ts";
import { type RawResponse, rawRequest } from "../support/raw-http.ts";
import { ServerProcess, sourceProgram } from "../support/server-process.ts";
import { type Expected, expectRefused } from "./expect-refused.ts";
import { adminTokenOf } from "./hostile-setting.ts";
import {
  type Belongings,
  belongingsOf,
  type Carried,
  requestOf,
  type RoutedRequest,
  type TokenRoute,
} from "./token-routes.ts";

export interface Tokens {
  readonly good: string;
  readonly expired: string;
  readonly revoked: string;
  readonly foreign: string;
  readonly appToken: string;
  readonly admin: string;
  /** Everything but the one scope. */
  readonly without: ReadonlyMap<Scope, string>;
}

/** One token in one place, and what each route says to it. */
export interface Case {
  readonly name: string;
  readonly carried: (tokens: Tokens, route: TokenRoute) => Carried;
  readonly expected: (route: TokenRoute) => Expected | "taken";
}

export const otherAppId = "777000000001";

/** A server, with a token of every kind and things of one app for the routes to name. */
export class TokenMatrix {
  readonly api: GraphApi;
  readonly tokens: Tokens;
  readonly shared: Belongings;
  /** Requests with a token under trial. */
  trials = 0;
  readonly #server: ServerProcess;
  readonly #administration: GraphApi;

  private constructor(
    server: ServerProcess,
    apis: { readonly api: GraphApi; readonly administration: GraphApi },
    things: { readonly tokens: Tokens; readonly shared: Belongings },
  ) {
    this.#server = server;
    this.api = apis.api;
    this.#administration = apis.administration;
    this.tokens = things.tokens;
    this.shared = things.shared;
  }

  static async open(program: readonly string[] = sourceProgram): Promise<TokenMatrix> {
    const server = await ServerProcess.start({ program });
    const { address: url, appId, token } = server;
    const api = new GraphApi({ url, appId, token });
    const administration = api.as({ token: await adminTokenOf(server) });
    const tokens = await tokensOf(server, administration);
    const shared = await belongingsOf(api);
    return new TokenMatrix(server, { api, administration }, { tokens, shared });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.remove();
  }

  async send(request: RoutedRequest): Promise<RawResponse> {
    const { method, path, headers, body } = request;
    const address = { host: "127.0.0.1", port: this.#server.port };
    this.trials += 1;
    return await rawRequest(address, { method, path, headers }, body);
  }

  /** Fails unless the route takes the token, or refuses it as it should and changes nothing. */
  async tryCase(route: TokenRoute, { carried, expected }: Case): Promise<void> {
    const wanted = expected(route);
    const { appId } = this.api;
    const credentials = carried(this.tokens, route);
    if (wanted === "taken") {
      const belongings = await belongingsOf(this.api);
      const answer = await this.send(requestOf(route, credentials, { appId, belongings }));
      const statuses = route.standard === undefined ? [200] : [200, 201, 204];
      expect(statuses, answer.body.toString()).toContain(answer.status);
      return;
    }
    const before = await this.everything();
    const request = requestOf(route, credentials, { appId, belongings: this.shared });
    expectRefused(await this.send(request), wanted, route);
    expect(await this.everything(), "something changed").toBe(before);
  }

  /** All that a refused request could have changed. */
  async everything(): Promise<string> {
    const { api, tokens, shared } = this;
    const lists = await Promise.all([
      this.#pages(`/v21.0/${api.appId}/uploads`),
      this.#pages(`/v21.0/${api.appId}/files`),
    ]);
    const answers = await Promise.all([
      api.as({ appId: otherAppId, token: tokens.foreign }).get(`/v21.0/${otherAppId}/uploads`),
      api.status(shared.upload, "file_length,status,crc32"),
      this.#administration.get("/admin/v1/apps"),
      this.#administration.get("/admin/v1/tokens"),
    ]);
    const bad = answers.find(({ status }) => status !== 200);
    if (bad !== undefined) throw new Error(bad.body.toString());
    return [...lists, ...answers.map(({ body }) => body.toString())].join("\n");
  }

  /** Every row of a list, page by page. */
  async #pages(path: string, after = ""): Promise<string> {
    const answer = await this.api.get(`${path}?limit=100${after}`);
    const body = answer.body.toString();
    if (answer.status !== 200) throw new Error(body);
    const next = /"after":"([^"]+)"/.exec(body)?.[1];
    return next === undefined ? body : body + (await this.#pages(path, `&after=${next}`));
  }
}

async function tokensOf(server: ServerProcess, administration: GraphApi): Promise<Tokens> {
  const { appId, token, appSecret } = server;
  const mint = async (more: object): Promise<string> => {
    const made = await administration.postJson("/admin/v1/tokens", { appId, ...more });
    if (made.status !== 201) throw new Error(made.body.toString());
    return made.text("token");
  };
  await administration.postJson("/admin/v1/apps", { id: otherAppId });
  const revoked = await mint({});
  await administration.postJson("/admin/v1/tokens/revoke", { token: revoked });
  const without = new Map<Scope, string>();
  for (const scope of everyUploadScope) {
    const scopes = everyUploadScope.filter((each) => each !== scope);
    without.set(scope, await mint({ scopes }));
  }
  return {
    good: token,
    expired: await mint({ expiresAt: "2001-01-01T00:00:00Z" }),
    revoked,
    foreign: await mint({ appId: otherAppId }),
    appToken: `${appId}|${appSecret}`,
    admin: await adminTokenOf(server),
    without,
  };
}
