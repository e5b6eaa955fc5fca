import { uploadError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { Upload } from "../../engine/records.ts";
import type { Exchange } from "../../http/exchange.ts";
import { parseDecimal } from "../decimal.ts";
import { mediaTypeOf } from "../standard/choose.ts";
import { uploadHeaders, type StandardRequest } from "../standard/request.ts";
import { TusRefusal } from "./errors.ts";

export const version = "1.0.0";
const offsetType = "application/offset+octet-stream";
const wholeNumber = `a decimal number of bytes from 0 to ${limits.offsetMax}`;

/** Whatever else is wrong with it, a request in another version is not looked at (core protocol). */
export function requireVersion(exchange: Exchange): void {
  const asked = exchange.header("tus-resumable");
  if (asked === version) return;
  const what = asked === undefined ? "names no version" : "is in a version that is not served";
  throw new TusRefusal({
    status: 412,
    detail: `The request ${what}. Send "Tus-Resumable: ${version}".`,
    headers: { "Tus-Version": version },
  });
}

/** What a body must be called that is appended. */
export function requireOffsetType(exchange: Exchange): void {
  const given = mediaTypeOf(exchange.header("content-type"));
  if (given === offsetType) return;
  throw new TusRefusal({
    status: 415,
    detail: `The content is ${given ?? "of no type"}. Send it as "Content-Type: ${offsetType}".`,
  });
}

/** Where the sender means to go on. */
export function offsetOf(exchange: Exchange): number {
  const offset = numberOf(exchange, "Upload-Offset");
  if (offset !== undefined) return offset;
  const missing = { problem: "is missing", valid: wholeNumber };
  throw uploadError("parameter_invalid", { name: "Upload-Offset", ...missing });
}

/** The whole length, where the request tells it. */
export function lengthOf(exchange: Exchange): number | undefined {
  return numberOf(exchange, "Upload-Length");
}

function numberOf(exchange: Exchange, name: string): number | undefined {
  const text = exchange.header(name);
  if (text === undefined) return undefined;
  const value = parseDecimal(text);
  if (value !== undefined) return value;
  const problem = /^[1-9]\d{15,}$/.test(text) ? "is too large" : "is not a number of bytes";
  throw uploadError("parameter_invalid", { name, problem, valid: wholeNumber });
}

/** What an upload is created with: its length, or that nobody knows it yet. */
export function newLengthOf(exchange: Exchange): number | undefined {
  const length = lengthOf(exchange);
  const deferred = exchange.header("upload-defer-length");
  if (deferred !== undefined && deferred !== "1") {
    const problem = "is neither left out nor 1";
    throw uploadError("parameter_invalid", { name: "Upload-Defer-Length", problem, valid: "1" });
  }
  if ((length === undefined) !== (deferred === undefined)) return length;
  throw uploadError("parameter_invalid", {
    name: "Upload-Length",
    problem: length === undefined ? "is missing" : "is given, and called unknown at once",
    valid: `${wholeNumber}, or Upload-Defer-Length: 1 in its place`,
  });
}

/** What every answer says of the protocol. */
export const commonHeaders: Readonly<Record<string, string>> = {
  "Tus-Resumable": version,
  "Cache-Control": "no-store",
};

/** What the answers to POST, PATCH and HEAD say of an upload. */
export function progressHeaders(request: StandardRequest, upload: Upload): Record<string, string> {
  return { ...commonHeaders, ...uploadHeaders(request, upload), ...offsetHeaders(upload) };
}

/** A concatenation has no offset before it is whole; what is complete does not expire unfinished. */
function offsetHeaders(upload: Upload): Record<string, string> {
  const isOpen = upload.state === "open";
  return {
    ...(isOpen && upload.concatenates !== undefined
      ? {}
      : { "Upload-Offset": String(upload.offset) }),
    ...(isOpen ? { "Upload-Expires": new Date(upload.expiresAt).toUTCString() } : {}),
  };
}
