import { uploadError } from "../base/errors.ts";
import type { EndUpload } from "../catalog/catalog.ts";
import { refuseEnded } from "./append.ts";
import { asOf } from "./expiry.ts";
import type { EngineParts } from "./parts.ts";

/** Gives an open upload up: its writer is stopped and its bytes are doomed. */
export function cancel(parts: EngineParts, id: string): Promise<void> {
  return giveUp(parts, id, { state: "cancelled", reason: undefined });
}

/** The same of one that may be complete: what was published of it stays. */
export function terminate(parts: EngineParts, id: string): Promise<void> {
  const ending = { state: "cancelled", reason: undefined } as const;
  return giveUp(parts, id, { ...ending, from: ["open", "complete"] });
}

/** The same before its time, as if that were over. */
export function expire(parts: EngineParts, id: string): Promise<void> {
  return giveUp(parts, id, { state: "expired", reason: undefined });
}

/** Ends an open upload whose sender has shown that what it sends is not what it declared. */
export function reject(parts: EngineParts, id: string, reason: string): Promise<void> {
  return giveUp(parts, id, { state: "rejected", reason });
}

async function giveUp(
  parts: EngineParts,
  id: string,
  { from = ["open"], ...ending }: Pick<EndUpload, "state" | "reason" | "from">,
): Promise<void> {
  const lease = await parts.leases.take(id);
  try {
    const { upload } = lease;
    refuseEnded(asOf(upload, parts.clock.now()));
    if (upload.state === "complete" && !from.includes("complete")) {
      throw uploadError("parameter_invalid", {
        name: "id",
        problem: "names an upload that is complete",
        valid: "an upload that is still open; a published file is deleted by its own id",
      });
    }
    const outcome = await parts.catalog.end({
      id,
      blobId: upload.blobId,
      fence: lease.fence,
      from,
      ...ending,
      at: parts.clock.now(),
    });
    if (outcome === "stale") throw uploadError("upload_busy", { retryAfterSeconds: 1 });
  } finally {
    await lease.release();
  }
}
