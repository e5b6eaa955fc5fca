import type { UploadErrorCode, UploadErrorFacts } from "../errors.ts";
import { UploadError } from "../errors.ts";
import type { TransportAnswer } from "../transports/transport.ts";

/** A JSON object whose values are yet to be looked at. */
export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text as a JSON object; undefined when it is none. */
export function parseJson(text: string): Json | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isJson(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** The body of a 2xx answer; `bad-answer` when it is no JSON object. */
export function readJson(answer: TransportAnswer): Json {
  const body = parseJson(answer.text);
  if (body !== undefined) return body;
  throw new UploadError("bad-answer", `the answer is not JSON: ${excerpt(answer.text)}`, {
    status: answer.status,
    hint: "Did something on the way answer in the server's place?",
  });
}

/** A count of bytes: the real service answers a number, its guide shows a string. */
export function readCount(body: Json, key: string): number | undefined {
  const text = readText(body, key) ?? "";
  if (!/^(0|[1-9]\d*)$/.test(text)) return undefined;
  const count = Number(text);
  return Number.isSafeInteger(count) ? count : undefined;
}

export function readText(body: Json, key: string): string | undefined {
  const value = body[key];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

const rateCodes = [4, 17, 32, 341, 613];
const passingCodes = [1, 2];
const notAuthorisedCodes = [10, 102, 104, 190];

/** What a refusal means: its HTTP status, and Graph's codes where there are any. */
export function classify(facts: UploadErrorFacts): UploadErrorCode {
  const { status = 0, type, graphCode = 0, graphSubcode } = facts;
  if (graphSubcode === 2494102) return "handle-invalid";
  if (status === 412 || type === "OffsetInvalidError") return "offset-mismatch";
  if (status === 429 || type === "RequestRateLimitedError" || rateCodes.includes(graphCode)) {
    return "rate-limited";
  }
  if (isNotAuthorised(facts)) return "not-authorised";
  if (status === 410) return "gone";
  if (status === 404 || (graphCode === 100 && graphSubcode === 33)) return "not-found";
  const passes = status === 408 || isServerFault(status) || passingCodes.includes(graphCode);
  return passes || facts.retriable === true ? "server-trouble" : "refused";
}

function isNotAuthorised({ status, type, graphCode = 0 }: UploadErrorFacts): boolean {
  if (status === 401 || status === 403 || type === "NotAuthorizedError") return true;
  // 200 to 299 are Graph's permission errors.
  return notAuthorisedCodes.includes(graphCode) || (graphCode >= 200 && graphCode <= 299);
}

/** 501 and 505 say that the server never will. */
function isServerFault(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

/** `backoff` in the body is in milliseconds; `Retry-After` in seconds or a date. */
export function readWaitMs(answer: TransportAnswer, places: readonly Json[]): number | undefined {
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

/** The beginning of an answer, for a sentence. */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line === "") return "nothing";
  return line.length > 120 ? `"${line.slice(0, 120)}…"` : `"${line}"`;
}
