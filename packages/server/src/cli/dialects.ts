import type { StandardDialect } from "hawser-client";
import { ietf } from "hawser-client/ietf";
import { tus } from "hawser-client/tus";

/** What `--dialect` takes. Graph is what the library speaks by itself. */
export const dialects: Readonly<Record<string, StandardDialect | undefined>> = {
  graph: undefined,
  tus,
  ietf,
};
