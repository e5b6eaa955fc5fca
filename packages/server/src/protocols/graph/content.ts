import { formatCrc32 } from "../../base/crc32.ts";
import { findFile } from "../../engine/look-up.ts";
import { downloadUrl, readBlob } from "../../engine/read.ts";
import type { PublishedFile } from "../../engine/records.ts";
import { Parameters } from "./parameters.ts";
import { graphHeaders, principalOf, type GraphRequest } from "./request.ts";

/** What browsers may show in place; everything else is a download. */
const inlineTypes = new Set(["image/jpeg", "image/jpg", "image/png", "video/mp4"]);

type Range =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly from: number; readonly to: number }
  | { readonly kind: "unsatisfiable" };

/** GET and HEAD /{version}/{file-id}/content */
export async function content(request: GraphRequest, id: string): Promise<void> {
  const { parts, exchange } = request;
  const parameters = await Parameters.read(exchange);
  const principal = await principalOf(request, parameters, "read");
  const file = await findFile(parts.engine, id, principal.appId);
  const etag = `"${file.id}-${formatCrc32(file.crc32)}"`;
  const headers = contentHeaders(request, file, etag);
  if (noneMatch(exchange.header("if-none-match"), etag)) {
    await exchange.respond({ status: 304, headers });
    return;
  }
  const ifRange = exchange.header("if-range");
  // The store knows nothing of our entity tags, and its URL is for GET alone.
  if (exchange.method === "GET" && ifRange === undefined) {
    const url = await downloadUrl(parts.engine, file, {
      contentType: headers["Content-Type"],
      contentDisposition: headers["Content-Disposition"],
    });
    if (url !== undefined) {
      const place = { Location: url, "Cache-Control": "no-store" };
      const own = graphHeaders(exchange, request.version);
      await exchange.respond({ status: 302, headers: { ...own, ...place } });
      return;
    }
  }
  const wanted = ifRange === undefined || ifRange === etag ? exchange.header("range") : undefined;
  const range = rangeOf(wanted, file.size);
  if (range.kind === "unsatisfiable") {
    const place = { "Content-Range": `bytes */${file.size}` };
    await exchange.respond({ status: 416, headers: { ...headers, ...place } });
    return;
  }
  const [from, to] = range.kind === "part" ? [range.from, range.to] : [0, file.size];
  const partHeaders =
    range.kind === "part" ? { "Content-Range": `bytes ${from}-${to - 1}/${file.size}` } : {};
  await exchange.stream({
    status: range.kind === "part" ? 206 : 200,
    headers: { ...headers, ...partHeaders },
    length: to - from,
    chunks: readBlob(parts.engine, file.blobId, { from, to }),
  });
}

/** One range of bytes (RFC 9110, section 14.2); several or malformed ones mean the whole. */
function rangeOf(header: string | undefined, size: number): Range {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  const [first, last] = [match?.[1], match?.[2]];
  if (first === undefined || last === undefined || first + last === "") return { kind: "whole" };
  if (first === "") {
    const count = Math.min(Number(last), size);
    return count === 0 ? { kind: "unsatisfiable" } : { kind: "part", from: size - count, to: size };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return { kind: "whole" };
  if (from >= size) return { kind: "unsatisfiable" };
  return { kind: "part", from, to: last === "" ? size : Math.min(Number(last) + 1, size) };
}

function noneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || tags.includes("*");
}

function contentHeaders(
  request: GraphRequest,
  file: PublishedFile,
  etag: string,
): Record<string, string> & Record<"Content-Type" | "Content-Disposition", string> {
  const disposition = inlineTypes.has(file.type) ? "inline" : "attachment";
  const plain = file.name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  // RFC 8187: what encodeURIComponent leaves alone but the grammar does not.
  const encoded = encodeURIComponent(file.name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return {
    ...graphHeaders(request.exchange, request.version),
    "Content-Type": file.type,
    "Content-Disposition": `${disposition}; filename="${plain}"; filename*=UTF-8''${encoded}`,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-cache",
    "Accept-Ranges": "bytes",
    ETag: etag,
  };
}
