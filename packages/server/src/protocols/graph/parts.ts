import type { Apps } from "../../access/apps.ts";
import type { Tokens } from "../../access/tokens.ts";
import type { EngineParts } from "../../engine/parts.ts";
import type { SessionIds } from "./session-id.ts";

/** What the adapter works with. */
export interface GraphParts {
  readonly engine: EngineParts;
  readonly apps: Apps;
  readonly tokens: Tokens;
  readonly ids: SessionIds;
  /** The outside address, where an operator has set one; else each request's own Host counts. */
  readonly publicUrl: string | undefined;
  readonly trustProxy: boolean;
}
