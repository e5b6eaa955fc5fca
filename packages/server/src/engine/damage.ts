import { uploadError } from "../base/errors.ts";
import type { EngineParts } from "./parts.ts";
import type { Lease } from "./lease.ts";

/**
 * Refuses an upload for good whose acknowledged bytes are missing. Its offset is never lowered.
 * Superseded where another has taken it over: that one sees for itself.
 */
export async function damage(parts: EngineParts, lease: Lease, reason: string): Promise<void> {
  const { id, blobId, offset } = lease.upload;
  const outcome = await parts.catalog.end({
    id,
    blobId,
    fence: lease.fence,
    state: "damaged",
    reason,
    at: parts.clock.now(),
  });
  if (outcome === "stale") throw uploadError("superseded", { offset });
  parts.log.error({ upload: id, reason }, "upload is damaged");
}
