import type { Exchange } from "../../http/exchange.ts";
import type { Protocol } from "../../http/server.ts";
import { dialectOf } from "./choose.ts";
import type { DialectName, StandardDialect } from "./dialect.ts";
import type { StandardParts } from "./parts.ts";
import { nothingSeen, type StandardRequest } from "./request.ts";
import { routeOf } from "./route.ts";

/** The protocols that share `/uploads`, told apart by what a request's headers say. */
export class UploadsProtocol implements Protocol {
  readonly name = "uploads";
  readonly #parts: StandardParts;
  readonly #dialects: Readonly<Record<DialectName, StandardDialect>>;

  constructor(parts: StandardParts, dialects: Readonly<Record<DialectName, StandardDialect>>) {
    this.#parts = parts;
    this.#dialects = dialects;
  }

  matches(exchange: Exchange): boolean {
    return routeOf(exchange.path) !== undefined;
  }

  async handle(exchange: Exchange): Promise<void> {
    const route = routeOf(exchange.path);
    if (route === undefined) return;
    const seen = { ...nothingSeen };
    const request = { parts: this.#parts, exchange, method: methodOf(exchange), seen };
    if (request.method === "OPTIONS") await this.#tellOptions(request);
    else await this.#dialects[dialectOf(exchange)].handle(request, route);
  }

  /** Both dialects at once: who asks need not say whose words it is going to use. */
  async #tellOptions(request: StandardRequest): Promise<void> {
    const { tus, ietf } = this.#dialects;
    const headers = { ...(await ietf.describe(request)), ...(await tus.describe(request)) };
    await request.exchange.respond({ status: 204, headers });
  }
}

/** For clients that can send no other methods than GET and POST (tus, "X-HTTP-Method-Override"). */
function methodOf(exchange: Exchange): string {
  const override = exchange.header("x-http-method-override")?.trim() ?? "";
  return override === "" ? exchange.method : override.toUpperCase();
}
