import { sql, type Selectable } from "kysely";
import type { Advance, AssemblyFinish, EndUpload } from "./catalog.ts";
import { compiled } from "./postgres-text.ts";
import type { Extent, Upload } from "./records.ts";
import type { SharedUploadsTable } from "./schema.ts";

/**
 * Commits nothing but a word in the server's log. A change whose answer was lost may be committed
 * on this server alone: a synchronous standby is waited for by whoever commits, and by nobody who
 * reads. It takes commits in their order, so that one that is made later waits for all before it.
 */
export const waitForStandby = compiled(sql`select pg_logical_emit_message(true, 'hawser', '')`);

/**
 * Whether a change whose answer was lost has happened, told from what the rows say now. In doubt
 * it has not: then the caller learns that somebody else was faster, and looks for itself.
 */
export function isSameAdvance(
  row: Selectable<SharedUploadsTable> | undefined,
  advance: Advance,
): boolean {
  const { to, crc32, at, fence, ending } = advance;
  if (row?.offset !== to || row.crc32 !== crc32 || row.updated_at !== at) return false;
  switch (ending?.state) {
    case undefined:
      return row.state === "open" && row.fence === fence;
    case "complete":
      return row.state === "complete" && row.handle_nonce === ending.completion.nonce;
    case "rejected":
      return row.state === "rejected" && row.reason === ending.reason;
  }
}

export function isSameEnding(upload: Upload | undefined, ending: EndUpload): boolean {
  return (
    upload?.state === ending.state &&
    upload.reason === ending.reason &&
    upload.updatedAt === ending.at
  );
}

export function isAssembled(extents: readonly Extent[], { assembled }: AssemblyFinish): boolean {
  const [only] = extents;
  return extents.length === 1 && only?.key === assembled.key && only.length === assembled.length;
}
