import type { UploadErrorCode, UploadErrorFacts } from "../errors.ts";
import { UploadError } from "../errors.ts";
import type { TransportAnswer } from "../transports/transport.ts";
import { hintFor } from "./graph-hints.ts";

/** A JSON object whose values are yet to be looked at. */
export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The body of a 2xx answer; `bad-answer` when it is no JSON object. */
export function readJson(answer: TransportAnswer): Json {
  const body = parse(answer.text);
  if (body !== undefined) return body;
  throw new UploadError("bad-answer", `the answer is not JSON: ${excerpt(answer.text)}`, {
    status: answer.status,
    hint: "Something between here and the server may have answered in its place.",
  });
}

/** A count of bytes: the real service answers a number, its guide shows a string. */
export function readCount(body: Json, key: string): number | undefined {
  const value = body[key];
  const text = typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
  if (!/^(0|[1-9]\d*)$/.test(text)) return undefined;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : undefined;
}

export function readText(body: Json, key: string): string | undefined {
  const value = body[key];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A refusal, whichever of the service's two envelopes it came in, or neither. */
export function readRefusal(answer: TransportAnswer): UploadError {
  const body = parse(answer.text) ?? {};
  const error = isJson(body.error) ? body.error : {};
  const debug = isJson(body.debug_info) ? body.debug_info : {};
  const message =
    readText(error, "message") ?? readText(debug, "message") ?? `answered ${excerpt(answer.text)}`;
  const facts: UploadErrorFacts = {
    status: answer.status,
    type: readText(debug, "type") ?? readText(error, "type"),
    graphCode: readCount(error, "code"),
    graphSubcode: readCount(error, "error_subcode"),
    retriable: debug.retriable === true || error.is_transient === true,
    waitMs: readWaitMs(answer, [debug, error, body]),
    traceId: readText(error, "fbtrace_id") ?? answer.headers["x-fb-trace-id"],
  };
  const code = classify(facts);
  const hint = hintFor(code, facts, message);
  return new UploadError(code, `${message} (${answer.status})`, { ...facts, hint });
}

const rateCodes = new Set([4, 17, 32, 341, 613]);
const passingCodes = new Set([1, 2]);
const notAuthorisedCodes = new Set([10, 102, 104, 190]);

function classify(facts: UploadErrorFacts): UploadErrorCode {
  const { status = 0, type, graphCode = 0, graphSubcode } = facts;
  if (graphSubcode === 2494102) return "handle-invalid";
  if (status === 412 || type === "OffsetInvalidError") return "offset-mismatch";
  if (status === 429 || type === "RequestRateLimitedError" || rateCodes.has(graphCode)) {
    return "rate-limited";
  }
  if (isNotAuthorised(facts)) return "not-authorised";
  if (status === 410) return "gone";
  if (status === 404 || (graphCode === 100 && graphSubcode === 33)) return "not-found";
  if (status === 408 || isServerFault(status) || passingCodes.has(graphCode)) {
    return "server-trouble";
  }
  return facts.retriable === true ? "server-trouble" : "refused";
}

function isNotAuthorised({ status, type, graphCode = 0 }: UploadErrorFacts): boolean {
  if (status === 401 || status === 403 || type === "NotAuthorizedError") return true;
  // 200 to 299 are Graph's permission errors.
  return notAuthorisedCodes.has(graphCode) || (graphCode >= 200 && graphCode <= 299);
}

/** 501 and 505 say that the server never will. */
function isServerFault(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

/** `backoff` in the body is in milliseconds; `Retry-After` in seconds or a date. */
function readWaitMs(answer: TransportAnswer, places: readonly Json[]): number | undefined {
  for (const place of places) {
    const backoffMs = readCount(place, "backoff");
    if (backoffMs !== undefined) return backoffMs;
  }
  const header = answer.headers["retry-after"];
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const waitMs = Date.parse(header) - Date.now();
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

function parse(text: string): Json | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isJson(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line === "") return "nothing";
  return line.length > 120 ? `"${line.slice(0, 120)}…"` : `"${line}"`;
}
