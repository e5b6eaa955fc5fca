import type { Apps } from "../../access/apps.ts";
import type { Tokens } from "../../access/tokens.ts";
import type { EngineParts } from "../../engine/parts.ts";
import type { Upload } from "../../engine/records.ts";
import type { OutsideAddress } from "../base-url.ts";

/** What the standard protocols work with. */
export interface StandardParts extends OutsideAddress {
  readonly engine: EngineParts;
  readonly apps: Apps;
  readonly tokens: Tokens;
  /** The path at which Graph tells of an upload: the same upload has a name there, too. */
  readonly graphPathOf: (upload: Upload) => string;
}
