import type { EngineParts } from "./parts.ts";
import type { Lease } from "./lease.ts";

/** Refuses an upload for good whose acknowledged bytes are missing. Its offset is never lowered. */
export async function damage(parts: EngineParts, lease: Lease, reason: string): Promise<void> {
  const { id, blobId } = lease.upload;
  parts.log.error({ upload: id, reason }, "upload is damaged");
  await parts.catalog.end({
    id,
    blobId,
    fence: lease.fence,
    state: "damaged",
    reason,
    at: parts.clock.now(),
  });
}
