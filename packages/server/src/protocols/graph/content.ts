import { formatCrc32 } from "../../base/crc32.ts";
import { findFile } from "../../engine/look-up.ts";
import { downloadUrl, readBlob } from "../../engine/read.ts";
import { answerContent, fileHeaders, isKnown } from "../../http/content.ts";
import { Parameters } from "./parameters.ts";
import { graphHeaders, principalOf, type GraphRequest } from "./request.ts";

/** What browsers may show in place; everything else is a download. */
const inlineTypes = new Set(["image/jpeg", "image/jpg", "image/png", "video/mp4"]);

/** GET and HEAD /{version}/{file-id}/content */
export async function content(request: GraphRequest, id: string): Promise<void> {
  const { parts, exchange } = request;
  const parameters = await Parameters.read(exchange);
  const principal = await principalOf(request, parameters, "read");
  const file = await findFile(parts.engine, id, principal.appId);
  const etag = `"${file.id}-${formatCrc32(file.crc32)}"`;
  const described = fileHeaders(file.name, inlineTypes.has(file.type) ? "inline" : "attachment");
  const own = graphHeaders(exchange, request.version);
  const isFresh = exchange.header("if-range") === undefined && !isKnown(exchange, etag);
  // The store knows nothing of our entity tags, and its URL is for GET alone.
  if (exchange.method === "GET" && isFresh) {
    const url = await downloadUrl(parts.engine, file, {
      contentType: file.type,
      contentDisposition: described["Content-Disposition"],
    });
    if (url !== undefined) {
      const place = { Location: url, "Cache-Control": "no-store" };
      await exchange.respond({ status: 302, headers: { ...own, ...place } });
      return;
    }
  }
  await answerContent(exchange, {
    headers: { ...own, ...described, "Content-Type": file.type },
    etag,
    size: file.size,
    read: (range) => readBlob(parts.engine, file.blobId, range),
  });
}
