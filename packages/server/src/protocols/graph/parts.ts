import type { Apps } from "../../access/apps.ts";
import type { Tokens } from "../../access/tokens.ts";
import type { EngineParts } from "../../engine/parts.ts";
import type { OutsideAddress } from "../base-url.ts";
import type { SessionIds } from "./session-id.ts";

/** What the adapter works with. */
export interface GraphParts extends OutsideAddress {
  readonly engine: EngineParts;
  readonly apps: Apps;
  readonly tokens: Tokens;
  readonly ids: SessionIds;
}
