import { limits } from "../base/limits.ts";
import type { Answer, Exchange } from "./exchange.ts";

/** The web pages that may call from a browser, by origin; `*` is every one. */
export type AllowedOrigins = "*" | readonly string[];

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** A browser's `*` does not stand for `authorization` (Fetch, section 3.3.3): so all are named. */
const requestHeaders = [
  "authorization",
  "content-type",
  "file_offset",
  "file-offset",
  "range",
  "if-range",
  "if-none-match",
  "content-digest",
  "content-disposition",
  "repr-digest",
  "want-content-digest",
  "want-repr-digest",
  "prefer",
  "tus-resumable",
  "upload-checksum",
  "upload-complete",
  "upload-concat",
  "upload-defer-length",
  "upload-draft-interop-version",
  "upload-incomplete",
  "upload-length",
  "upload-metadata",
  "upload-offset",
  "x-http-method-override",
  "x-request-id",
  "x-requested-with",
].join(", ");

/** What scripts may read beside the few headers that they always may. */
const exposedHeaders = [
  "accept-patch",
  "accept-ranges",
  "allow",
  "content-digest",
  "content-disposition",
  "content-range",
  "etag",
  "facebook-api-version",
  "link",
  "location",
  "repr-digest",
  "retry-after",
  "tus-checksum-algorithm",
  "tus-extension",
  "tus-max-size",
  "tus-resumable",
  "tus-version",
  "upload-complete",
  "upload-concat",
  "upload-defer-length",
  "upload-draft-interop-version",
  "upload-expires",
  "upload-incomplete",
  "upload-length",
  "upload-limit",
  "upload-metadata",
  "upload-offset",
  "www-authenticate",
  "x-fb-trace-id",
].join(", ");

/** What every answer of a protocol says about its reader's origin, refusals included. */
export function corsHeaders(
  origins: AllowedOrigins,
  origin: string | undefined,
): Readonly<Record<string, string>> {
  const allowed = allowedOrigin(origins, origin);
  // A cache must not give a page the answer that was made for a request without an origin.
  if (allowed === undefined) return { Vary: "Origin" };
  return {
    Vary: "Origin",
    "Access-Control-Allow-Origin": allowed,
    "Access-Control-Expose-Headers": exposedHeaders,
  };
}

/** The answer to a browser that asks before it sends; undefined for any other request. */
export function preflightAnswer(origins: AllowedOrigins, exchange: Exchange): Answer | undefined {
  const origin = exchange.header("origin");
  const asked = exchange.header("access-control-request-method");
  if (exchange.method !== "OPTIONS" || origin === undefined || asked === undefined) {
    return undefined;
  }
  const isAllowed = allowedOrigin(origins, origin) !== undefined;
  const permission = {
    "Access-Control-Allow-Methods": methods,
    "Access-Control-Allow-Headers": requestHeaders,
    "Access-Control-Max-Age": String(limits.preflightSeconds),
  };
  return { status: 204, headers: isAllowed ? permission : {} };
}

function allowedOrigin(origins: AllowedOrigins, origin: string | undefined): string | undefined {
  if (origin === undefined) return undefined;
  if (origins === "*") return "*";
  return origins.find((each) => each === origin);
}
