import type { AppDetails } from "../../access/apps.ts";
import { sha256OfUpload } from "../../engine/digest.ts";
import { handleOf } from "../../engine/handle.ts";
import type { Upload } from "../../engine/records.ts";
import { wantsWholeDigest, wholeDigestField } from "../standard/digest-fields.ts";
import { creationOf } from "./creation.ts";
import { locationHeader, stateHeaders, type IetfRequest } from "./request.ts";

interface Taken {
  readonly app: AppDetails;
  readonly upload: Upload;
  /** What a request is answered that was taken and did not complete the upload. */
  readonly status: 201 | 204;
}

/**
 * Answers a creation or an append whose content was taken. The last answer is the same, however
 * the content came and however often it is asked for.
 */
export async function answerTaken(
  request: IetfRequest,
  { app, upload, status }: Taken,
): Promise<void> {
  const headers = { ...stateHeaders(request, app, upload), ...locationHeader(request, upload) };
  if (upload.state !== "complete") {
    await request.exchange.respond({ status, headers });
    return;
  }
  await request.exchange.respond({
    status: 201,
    headers: { ...headers, ...jsonType, ...(await digestHeader(request, upload)) },
    body: await stateJson(request, upload),
  });
}

export const jsonType = { "Content-Type": "application/json; charset=utf-8" } as const;

/** What is to be known of an upload, with the handle once it is complete. */
export async function stateJson({ parts }: IetfRequest, upload: Upload): Promise<string> {
  const { id, offset, length, state } = upload;
  // Below the version, which is not a part of it.
  const graphId = parts.graphPathOf(upload).replace(/^\/[^/]+\//, "");
  const handle = state === "complete" ? { h: await handleOf(parts.engine, upload) } : {};
  return JSON.stringify({ id, graph_id: graphId, offset, length, state, ...handle });
}

/** The digest of the whole, where it was asked for when the upload began or is now. */
export async function digestHeader(
  { parts, exchange }: IetfRequest,
  upload: Upload,
): Promise<Record<string, string>> {
  if (upload.state !== "complete") return {};
  if (!wantsWholeDigest(exchange) && !creationOf(upload).wantsDigest) return {};
  return wholeDigestField(await sha256OfUpload(parts.engine, upload, exchange.signal));
}
