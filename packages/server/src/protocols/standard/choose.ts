import type { Exchange } from "../../http/exchange.ts";
import type { DialectName } from "./dialect.ts";

const ietfHeaders = ["upload-complete", "upload-incomplete", "upload-draft-interop-version"];
const tusHeaders = ["upload-length", "upload-defer-length", "upload-metadata", "upload-concat"];

/**
 * Whose words a request is in. A tus client without its version is still one of tus, which then
 * refuses it; what names neither is the standard URL's own and the IETF's.
 */
export function dialectOf(exchange: Pick<Exchange, "header">): DialectName {
  const has = (name: string): boolean => exchange.header(name) !== undefined;
  if (has("tus-resumable")) return "tus";
  const type = mediaTypeOf(exchange.header("content-type"));
  if (ietfHeaders.some(has) || type === "application/partial-upload") return "ietf";
  return tusHeaders.some(has) || type === "application/offset+octet-stream" ? "tus" : "ietf";
}

/** The media type of a header alone, in lower case and without its parameters. */
export function mediaTypeOf(header: string | undefined): string | undefined {
  const type = header?.split(";")[0]?.trim().toLowerCase();
  return type === "" ? undefined : type;
}
