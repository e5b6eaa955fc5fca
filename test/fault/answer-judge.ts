import { headerValue, type RawResponse } from "../support/response-parser.ts";
import { answersIn } from "./answer-stream.ts";
import type { RawOutcome } from "./raw-trial.ts";

/** Every status there may be. Of the 5xx only those that the design names: busy, and no room. */
const allowedStatuses: ReadonlySet<number> = new Set([
  ...[200, 201, 204, 206, 304],
  ...[400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 416, 422, 423, 431, 460],
  ...[503, 507],
]);

/** What no answer may tell: where the server lives and what it is made of. */
const internals =
  /\n\s+at |node:internal|node_modules|\.[tj]s:\d+|sqlite|TypeError|RangeError|ECONN|EPIPE|ENOENT/i;

/** What the server says of what it could not read as a request, in its one envelope. */
const refusedUnread: ReadonlySet<number> = new Set([400, 408, 431]);

const ownAnswer = "facebook-api-version";

export interface Judged {
  /** The statuses of all answers, in order. */
  readonly statuses: readonly number[];
  /** Why there was no answer at all. */
  readonly silence?: string;
}

export interface Evidence {
  readonly sent: Buffer;
  readonly outcome: RawOutcome;
  /** Texts that belong to the server alone, such as its directories. */
  readonly secrets: readonly string[];
}

/** Throws, saying what is wrong, unless what came is an answer to what was sent. */
export function judge({ sent, outcome, secrets }: Evidence): Judged {
  const text = sent.toString("latin1");
  const headPossible = text.includes("HEAD ");
  const { answers, rest } = answersIn(outcome.received, { headPossible });
  const onlyInterim = /^(HTTP\/1\.1 100 Continue\r\n\r\n)+$/.test(rest.toString("latin1"));
  if (rest.length > 0 && !(onlyInterim && text.includes("CONNECT "))) {
    throw new Error(`what follows the answers is none: ${rest.toString()}`);
  }
  if (answers.length === 0) return { statuses: [], silence: reasonForSilence(text) };
  const informs = /upload-draft-interop-version/i.test(text);
  for (const answer of answers) judgeOne(answer, { secrets, headPossible, informs });
  const [first] = answers;
  if (first !== undefined) judgeEnvelope(first, text);
  return { statuses: answers.map(({ status }) => status) };
}

/** The connection may close without a word only where there was no request, or no way to answer. */
function reasonForSilence(text: string): string {
  if (/^[\r\n]*$/.test(text)) return "nothing was sent";
  // Clients try again after a lost connection, and give up after a 400.
  if (!/\r?\n\r?\n/.test(text.replace(/^[\r\n]+/, ""))) return "the head was cut";
  // Node ends the connection at once, also over answers to what was pipelined before.
  if (text.includes("CONNECT ")) return "a tunnel was asked for";
  if (/^[\r\n]*PRI /.test(text)) return "HTTP/2 was begun";
  throw new Error("the connection was closed without an answer");
}

interface Judging {
  readonly secrets: readonly string[];
  readonly headPossible: boolean;
  /** Whether a version was named to whose clients interim answers may tell an offset. */
  readonly informs: boolean;
}

function judgeOne(answer: RawResponse, { secrets, headPossible, informs }: Judging): void {
  const shown = `${answer.status} ${JSON.stringify(answer.headers)} ${answer.body.toString()}`;
  if (!answer.whole) throw new Error(`the answer is not whole: ${shown}`);
  if (!allowedStatuses.has(answer.status)) throw new Error(`not an allowed status: ${shown}`);
  for (const { status } of answer.interim) {
    if (status !== 100 && !(status === 104 && informs)) {
      throw new Error(`not an allowed interim status: ${status}`);
    }
  }
  const isContent = headerValue(answer, "etag") !== undefined;
  const told = isContent ? JSON.stringify(answer.headers) : shown;
  if (internals.test(told)) throw new Error(`an answer tells internals: ${shown}`);
  for (const secret of secrets) {
    if (told.includes(secret)) throw new Error(`an answer tells ${secret}: ${shown}`);
  }
  const isError = answer.status >= 400 && answer.status !== 416 && answer.body.length > 0;
  if (isError) judgeError(answer, shown);
  else if (answer.status >= 400 && answer.status !== 416 && !headPossible) {
    throw new Error(`an error without a body: ${shown}`);
  }
}

function judgeError(answer: RawResponse, shown: string): void {
  switch (envelopeOf(answer)) {
    case "text":
      judgeText(answer, shown);
      return;
    case "problem":
      judgeProblem(answer, shown);
      return;
    case "json":
      judgeJson(answer, shown);
  }
}

/** The standard protocols' refusals each have a media type of their own. */
function envelopeOf(answer: RawResponse): "text" | "problem" | "json" {
  const type = headerValue(answer, "content-type") ?? "";
  if (type.startsWith("text/plain")) return "text";
  return type.startsWith("application/problem+json") ? "problem" : "json";
}

/** In tus's words: a sentence that says what is wrong, under the version that every answer names. */
function judgeText(answer: RawResponse, shown: string): void {
  const isTold = /^\S[^\n]*[.]\n$/.test(answer.body.toString());
  const isNamed = headerValue(answer, "tus-resumable") === "1.0.0";
  if (!isTold || !isNamed) throw new Error(`not a refusal by tus: ${shown}`);
}

/** RFC 9457. */
function judgeProblem(answer: RawResponse, shown: string): void {
  const problem = parsed(answer.body);
  const isWhole =
    ["type", "title", "detail"].every((name) => {
      const value = property(problem, name);
      return typeof value === "string" && value !== "";
    }) && property(problem, "status") === answer.status;
  if (!isWhole) throw new Error(`not a whole problem: ${shown}`);
}

function judgeJson(answer: RawResponse, shown: string): void {
  const error = property(parsed(answer.body), "error");
  const message = property(error, "message");
  if (typeof message !== "string" || message === "") {
    throw new Error(`an error without a message: ${shown}`);
  }
  if (headerValue(answer, ownAnswer) === undefined) return;
  const type = property(error, "type");
  const complete =
    (type === "OAuthException" || type === "GraphMethodException") &&
    typeof property(error, "code") === "number" &&
    typeof property(error, "fbtrace_id") === "string";
  if (!complete) throw new Error(`not Graph's envelope: ${shown}`);
}

/**
 * The upload's own routes answer errors in both envelopes, all others in one; the standard
 * protocols have theirs to themselves.
 */
function judgeEnvelope(first: RawResponse, text: string): void {
  // Whose it is, is told by the path, also in a whole URL.
  const target = /^[A-Z]+ (?:[A-Za-z][A-Za-z\d+.-]*:\/\/[^/?]*)?(\S+) HTTP\/1\.[01]\r\n/.exec(
    text,
  )?.[1];
  if (target === undefined || first.status < 400 || first.body.length === 0) return;
  const isStandard = /^\/uploads(?:[/?]|$)/.test(target);
  // What is no request at all is refused before anybody asks whose it is.
  const isWords = envelopeOf(first) !== "json" || refusedUnread.has(first.status);
  if (isStandard ? !isWords : envelopeOf(first) !== "json") {
    throw new Error(`the wrong envelope for ${target}: ${first.body.toString()}`);
  }
  if (headerValue(first, ownAnswer) === undefined) return;
  const isUpload = /^\/(v\d{1,3}\.\d{1,3}\/)?upload(:|%3a)/i.test(target);
  const debug = property(parsed(first.body), "debug_info");
  const isBoth =
    typeof property(debug, "retriable") === "boolean" &&
    typeof property(debug, "type") === "string";
  if (isBoth !== isUpload) throw new Error(`the wrong envelope: ${first.body.toString()}`);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Error(`an error whose body is not JSON: ${body.toString()}`);
  }
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
