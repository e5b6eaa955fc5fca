import { interrupt } from "../../engine/interrupt.ts";
import { findSettled, findUpload } from "../../engine/look-up.ts";
import type { Upload } from "../../engine/records.ts";
import type { FoundUpload, StandardRequest } from "./request.ts";

/**
 * The upload as it stands once nobody is writing it. Who asks for an offset means to go on there:
 * a request that is still being sent, or was cut a moment ago, would make it stale. Who may not
 * append only looks, and disturbs nobody.
 */
export async function settle(
  { parts }: StandardRequest,
  { upload, principal }: FoundUpload,
): Promise<Upload> {
  if (upload.state !== "open") return upload;
  if (!principal.scopes.has("append")) return findSettled(parts.engine, upload);
  await interrupt(parts.engine, upload.id);
  return findUpload(parts.engine, upload.id, principal.appId);
}
