import { requireScope, type Principal, type Scope } from "../../access/scopes.ts";
import type { Exchange } from "../../http/exchange.ts";
import { baseUrlOf as addressOf } from "../base-url.ts";
import type { Parameters } from "./parameters.ts";
import type { GraphParts } from "./parts.ts";

/** What a handler of this protocol gets. */
export interface GraphRequest {
  readonly parts: GraphParts;
  readonly exchange: Exchange;
  readonly version: string;
}

/** Who asks, for routes where the token may come in header, query or body. */
export async function principalOf(
  request: GraphRequest,
  parameters: Parameters,
  scope: Scope,
): Promise<Principal> {
  return authenticate(request, { parameters: parameters.tokens(), scope, headerOnly: false });
}

/** Who asks, for `upload:{id}`: a token in the query or body does not count there. */
export async function headerPrincipalOf(request: GraphRequest): Promise<Principal> {
  return authenticate(request, { parameters: [], scope: undefined, headerOnly: true });
}

async function authenticate(
  { parts, exchange }: GraphRequest,
  want: {
    readonly parameters: readonly string[];
    readonly scope: Scope | undefined;
    readonly headerOnly: boolean;
  },
): Promise<Principal> {
  const principal = await parts.tokens.identify({
    authorization: exchange.headerValues("authorization"),
    parameters: want.parameters,
    headerOnly: want.headerOnly,
    origin: exchange.header("origin"),
    host: exchange.header("host"),
  });
  exchange.logFacts.app = principal.appId;
  if (want.scope !== undefined) requireScope(principal, want.scope);
  return principal;
}

/** The address by which the client reached us, without a trailing slash. */
export function baseUrlOf({ parts, exchange }: GraphRequest): string {
  return addressOf(exchange, parts);
}

export async function answerJson({ exchange, version }: GraphRequest, json: object): Promise<void> {
  await exchange.respond({
    status: 200,
    headers: graphHeaders(exchange, version),
    body: JSON.stringify(json),
  });
}

export function graphHeaders(exchange: Exchange, version: string): Record<string, string> {
  return {
    "Content-Type": "application/json; charset=UTF-8",
    "Cache-Control": "no-store",
    "facebook-api-version": version,
    "x-fb-trace-id": exchange.traceId,
  };
}
