import type { EngineParts } from "./parts.ts";

/**
 * Has whoever writes the upload let go of it, here or on another node: what was brought counts, and
 * the offset stands still from then on. Fails with `upload_busy` when nobody lets go in time.
 */
export async function interrupt(parts: EngineParts, id: string): Promise<void> {
  const isHeld = parts.leases.isHeld(id) || (await parts.catalog.heldElsewhere([id])).has(id);
  if (!isHeld) return;
  const lease = await parts.leases.take(id);
  await lease.release();
}
