import type { StandardRequest } from "./request.ts";
import type { StandardRoute } from "./route.ts";

export type DialectName = "tus" | "ietf";

/** One of the protocols that share the standard URLs. */
export interface StandardDialect {
  /** Answers the request, errors included. */
  handle(request: StandardRequest, route: StandardRoute): Promise<void>;
  /** What the answer to OPTIONS says of it, by header. */
  describe(request: StandardRequest): Promise<Readonly<Record<string, string>>>;
}
