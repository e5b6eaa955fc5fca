import { refuseEnded } from "../../engine/append.ts";
import { completeAtLength } from "../../engine/complete.ts";
import { sha256OfUpload } from "../../engine/digest.ts";
import { hasAllBytes } from "../../engine/expiry.ts";
import { findUpload } from "../../engine/look-up.ts";
import type { EngineParts } from "../../engine/parts.ts";
import type { Upload } from "../../engine/records.ts";
import { wantsWholeDigest, wholeDigestField } from "../standard/digest-fields.ts";
import { uploadOf, type FoundUpload, type StandardRequest } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { settle } from "../standard/settle.ts";
import { finalLengthOf } from "./concatenate.ts";
import { creationOf } from "./creation.ts";
import { progressHeaders } from "./fields.ts";

/** HEAD /uploads/{id} */
export async function status(request: StandardRequest, route: StandardRoute): Promise<void> {
  const upload = await completed(request, await uploadOf(request, route, "read"));
  refuseEnded(upload);
  const { metadata, concat } = creationOf(upload);
  await request.exchange.respond({
    status: 200,
    headers: {
      ...progressHeaders(request, upload),
      ...(await lengthHeaders(request.parts.engine, upload)),
      ...(await digestHeader(request, upload)),
      ...(metadata === undefined ? {} : { "Upload-Metadata": metadata }),
      ...(concat === undefined ? {} : { "Upload-Concat": concat }),
    },
  });
}

/**
 * Here an upload that has all its bytes is complete, and no client sends more once it is told so.
 * One that another protocol left open at its length is completed, for who could have by a PATCH.
 */
async function completed(request: StandardRequest, found: FoundUpload): Promise<Upload> {
  const upload = await settle(request, found);
  if (!found.principal.scopes.has("append") || !hasAllBytes(upload)) return upload;
  const { engine } = request.parts;
  await completeAtLength(engine, upload.id);
  return findUpload(engine, upload.id, upload.appId);
}

async function lengthHeaders(
  engine: EngineParts,
  upload: Upload,
): Promise<Readonly<Record<string, string>>> {
  const length = await finalLengthOf(engine, upload);
  if (length !== undefined) return { "Upload-Length": String(length) };
  return upload.concatenates === undefined ? { "Upload-Defer-Length": "1" } : {};
}

/** The digest of the whole for who asks for it; its bytes are read once for that. */
async function digestHeader(
  { parts, exchange }: StandardRequest,
  upload: Upload,
): Promise<Readonly<Record<string, string>>> {
  if (upload.state !== "complete" || !wantsWholeDigest(exchange)) return {};
  return wholeDigestField(await sha256OfUpload(parts.engine, upload, exchange.signal));
}
