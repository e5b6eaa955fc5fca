import type { Migration } from "kysely/migration";
import * as first from "./0001-first.ts";
import * as appPolicies from "./0002-app-policies.ts";
import * as manyNodes from "./0003-many-nodes.ts";
import * as threeProtocols from "./0004-three-protocols.ts";

/** Only ever added to: a data directory of any earlier version opens in this one. */
export const migrations: Record<string, Migration> = {
  "0001-first": first,
  "0002-app-policies": appPolicies,
  "0003-many-nodes": manyNodes,
  "0004-three-protocols": threeProtocols,
};
