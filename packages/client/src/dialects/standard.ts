import type { UploadErrorCode } from "../errors.ts";
import { asUploadError, UploadError } from "../errors.ts";
import type { TransportAnswer } from "../transports/transport.ts";
import type { Json } from "./answer.ts";
import { classify, excerpt, isSuccess, parseJson, readCount, readText } from "./answer.ts";
import { readWaitMs } from "./answer.ts";
import type { DialectParts, Standing } from "./dialect.ts";
import { passes } from "../retry.ts";
import { TokenHolder } from "./token.ts";
import type { WireCall } from "./wire.ts";
import { withToken } from "./wire.ts";

export type StandardCall = Omit<WireCall, "headers"> & Partial<Pick<WireCall, "headers">>;

export interface StandardCallsOptions {
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Told of every answer, refusals included. */
  readonly onAnswer?: (answer: TransportAnswer) => void;
}

/** What the dialects have in common in which an upload is a resource of its own. */
export class StandardCalls {
  /** Where uploads are made. */
  readonly collection: string;
  readonly #parts: DialectParts;
  readonly #options: StandardCallsOptions;

  constructor(parts: DialectParts, options: StandardCallsOptions) {
    const { url } = parts.connection;
    const { pathname, origin } = new URL(url);
    this.collection = pathname === "/" ? `${origin}/uploads` : url;
    this.#parts = parts;
    this.#options = options;
  }

  /** A 2xx answer; anything else is thrown. */
  async send({ headers, ...call }: StandardCall): Promise<TransportAnswer> {
    const { connection, transport, tokens } = this.#parts;
    const { onAnswer } = this.#options;
    const wired = { ...call, headers: { ...this.#options.headers, ...headers } };
    // A server may keep uploads elsewhere, but the token is not for there.
    const own = originOf(call.url) === originOf(this.collection) ? tokens : noToken;
    const asked = { ...wired, scheme: "Bearer" } as const;
    return withToken({ connection, tokens: own }, asked, async (request) => {
      const answer = await transport.send(request);
      onAnswer?.(answer);
      if (isSuccess(answer.status)) return answer;
      throw readStandardRefusal(answer, call);
    });
  }

  /** The URL of the upload that was made. */
  location({ status, headers }: TransportAnswer): string {
    const url = headers.location === undefined ? null : this.#reached(headers.location);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new UploadError("refused", "the server made no upload: its answer has no Location", {
        status,
        hint: `Are uploads made at ${this.collection}? A browser has to be shown this header (CORS).`,
      });
    }
    url.hash = "";
    return url.href;
  }

  /** Behind a proxy that ends TLS many servers do not know that they are reached by https. */
  #reached(told: string): URL | null {
    const url = URL.parse(told, this.collection);
    const { protocol, host } = new URL(this.collection);
    if (url?.host === host) url.protocol = protocol;
    return url;
  }

  /** How far an upload is, from the answer to a HEAD request. */
  async standing(answer: TransportAnswer, signal: AbortSignal): Promise<Standing> {
    const offset = readOffset(answer);
    const length = readCount(answer.headers, "upload-length");
    const more = await this.#describe(answer, "file_offset%2Cstatus%2Ccrc32", signal);
    // The CRC-32 of another offset shows nothing.
    const crc32 = readCount(more, "file_offset") === offset ? readText(more, "crc32") : undefined;
    return { offset, length, crc32: crc32?.toLowerCase(), status: readText(more, "status") };
  }

  /** The handle of a complete upload, or its URL where the server has no handles. */
  async handle(id: string, answer: TransportAnswer, signal: AbortSignal): Promise<string> {
    return readText(await this.#describe(answer, "h", signal), "h") ?? id;
  }

  /** What a Hawser server tells of an upload besides, at the address that its answers name. */
  async #describe(answer: TransportAnswer, fields: string, signal: AbortSignal): Promise<Json> {
    const found = /<([^>]+fields=)h>; *rel="describedby"/.exec(answer.headers.link ?? "");
    const link = found?.[1];
    const url = link === undefined ? "" : (this.#reached(link + fields)?.href ?? "");
    if (originOf(url) !== originOf(this.collection)) return {};
    try {
      const described = await this.#ask({ method: "GET", url, signal });
      return parseJson(described.text) ?? {};
    } catch (error) {
      // The upload itself needs none of it; what passes is asked again, or a handle would be lost.
      const failure = asUploadError(error);
      if (failure.facts.status !== undefined && !passes(failure)) return {};
      throw error;
    }
  }

  /** Asks once more where the server calls it a bad request, which it only became on the way. */
  async #ask(question: StandardCall): Promise<TransportAnswer> {
    try {
      return await this.send(question);
    } catch (error) {
      if (asUploadError(error).facts.status !== 400) throw error;
      return await this.send(question);
    }
  }
}

const noToken = new TokenHolder(undefined);

function originOf(url: string): string | undefined {
  return URL.parse(url)?.origin;
}

/** Where an upload stands; `bad-answer` when the answer does not say it. */
export function readOffset({ status, headers }: TransportAnswer): number {
  const offset = readCount(headers, "upload-offset");
  if (offset !== undefined) return offset;
  throw new UploadError("bad-answer", "the answer has no Upload-Offset", {
    status,
    hint: "A browser has to be shown this header (CORS).",
  });
}

/** Statuses that mean something else than in Graph. */
const statusCodes: Readonly<Record<number, UploadErrorCode>> = {
  409: "offset-mismatch",
  // Of tus: another version, locked by a request before this one, and damaged on the way.
  412: "refused",
  423: "server-trouble",
  460: "server-trouble",
};

/** A refusal: a text, or a problem of RFC 9457. */
function readStandardRefusal(answer: TransportAnswer, { method, url }: StandardCall): UploadError {
  const { status, headers, text } = answer;
  const problem = parseJson(text) ?? {};
  const said = readText(problem, "detail") ?? readText(problem, "title");
  // With this flag the server has all, and what it did with it is what failed: not to be repeated.
  const isOver = headers["upload-complete"] === "?1";
  const code = isOver ? "refused" : (statusCodes[status] ?? classify({ status }));
  return new UploadError(code, `${said ?? `answered ${excerpt(text)}`} (${status})`, {
    status,
    type: readText(problem, "type"),
    waitMs: readWaitMs(answer, []),
    hint: hintFor(code, method === "POST" ? `Are uploads made at ${url}?` : undefined),
  });
}

function hintFor(code: UploadErrorCode, where: string | undefined): string | undefined {
  if (code === "not-authorised") return "Check the token.";
  if (code === "rate-limited") return "Wait a while before trying again.";
  if (code !== "not-found" && code !== "gone") return where;
  return where ?? "It was cancelled or has expired; upload the file again.";
}
