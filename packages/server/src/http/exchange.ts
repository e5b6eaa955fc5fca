import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Body, BodyEnding } from "../base/body.ts";
import type { Clock } from "../base/clock.ts";
import { asError, uploadError, type UploadError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { BodyWatch } from "./body-watch.ts";
import { corsHeaders, type AllowedOrigins } from "./cors.ts";
import { writeInterim } from "./interim-answer.ts";
import { authority } from "./loggable-path.ts";
import { closeRefused } from "./refusal.ts";
import { RequestBody, type BodySender } from "./request-body.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface StreamAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly length: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface Arrival {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectsContinue: boolean;
}

/** What all exchanges of a server share. */
export interface ExchangeParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly watch: BodyWatch;
  /** Whether connections are to be closed after their answers. */
  readonly closing: () => boolean;
  readonly corsOrigins: AllowedOrigins;
}

/** 'A' and ten more characters that are safe in URLs. */
export function newTraceId(random: Random): string {
  return `A${random.bytes(8).toString("base64url").slice(0, 10)}`;
}

/** One request and its answer, in the words that protocols need and no more. */
export class Exchange implements BodySender {
  readonly traceId: string;
  readonly method: string;
  readonly path: string;
  readonly announcedLength: number | undefined;
  /** Every request since HTTP/1.1 must name its host (RFC 9112, section 3.2). */
  readonly lacksHost: boolean;
  readonly logFacts: Record<string, unknown> = {};
  readonly #arrival: Arrival;
  readonly #parts: ExchangeParts;
  /** Made for who asks: an upload never does, and ten thousand may be open. */
  #abort: AbortController | undefined;
  #aborted = false;
  #body: RequestBody | undefined;
  #continued = false;
  #answered = false;
  #sent = false;
  #broken = false;

  constructor(arrival: Arrival, parts: ExchangeParts) {
    const { request } = arrival;
    this.#arrival = arrival;
    this.#parts = parts;
    this.traceId = newTraceId(parts.random);
    this.method = request.method ?? "";
    this.path = this.#splitTarget().path;
    this.announcedLength = announcedLength(request);
    this.lacksHost = request.headers.host === undefined && request.httpVersion !== "1.0";
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#splitTarget().query);
  }

  /** Aborted when the client's connection closes before the answer was sent. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  get answered(): boolean {
    return this.#answered;
  }

  /** Bytes of the body that have been gathered. */
  get received(): number {
    return this.#body?.received ?? 0;
  }

  #splitTarget(): { readonly path: string; readonly query: string } {
    const { url = "" } = this.#arrival.request;
    // Every server has to take the absolute form, too, as for a proxy (RFC 9112, section 3.2.2).
    const target = url.replace(authority, "");
    const question = target.indexOf("?");
    const path = question < 0 ? target : target.slice(0, question);
    const query = question < 0 ? "" : target.slice(question + 1);
    return { path: path === "" ? "/" : path, query };
  }

  header(name: string): string | undefined {
    const value = this.#arrival.request.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** Every occurrence: Node joins or drops doubled headers before one could refuse them. */
  headerValues(name: string): string[] {
    const wanted = name.toLowerCase();
    const { rawHeaders } = this.#arrival.request;
    return rawHeaders.filter(
      (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted,
    );
  }

  /** What came after the body, once that has ended. */
  trailer(name: string): string | undefined {
    return this.#arrival.request.trailers[name.toLowerCase()];
  }

  /**
   * Sends an interim answer, such as 104. Nothing where it cannot be sent any more, or not yet: an
   * interim answer may always be missed. Nor to HTTP/1.0, which has none (RFC 9110, section 15.2).
   */
  inform(status: number, headers: Readonly<Record<string, string>>): void {
    const { response, request } = this.#arrival;
    const { socket } = response;
    if (this.#answered || request.httpVersion === "1.0" || !socket?.writable) return;
    const cors = corsHeaders(this.#parts.corsOrigins, this.header("origin"));
    writeInterim(socket, status, { ...headers, ...cors });
  }

  body(): Body {
    return this.#requestBody();
  }

  /** Begins to take in a body that comes unasked. */
  gatherEarly(): void {
    if (this.announcedLength === 0 || this.#arrival.expectsContinue) return;
    this.#requestBody().listen();
  }

  async readSmall(bytesMax: number): Promise<Buffer> {
    const tooLong = (): UploadError =>
      uploadError("request_malformed", { detail: `the body is longer than ${bytesMax} bytes` });
    if ((this.announcedLength ?? 0) > bytesMax) throw tooLong();
    const body = this.#requestBody();
    const chunks: Uint8Array[] = [];
    for (;;) {
      const batch = await body.next();
      if (batch.kind === "end") {
        if (batch.ending !== "clean") throw endingError(batch.ending);
        return Buffer.concat(chunks);
      }
      chunks.push(Buffer.concat(batch.chunks));
      if (body.received > bytesMax) {
        body.stop();
        throw tooLong();
      }
    }
  }

  /** Hands the answer over; when the connection is gone there is nobody to tell. */
  async respond(answer: Answer): Promise<void> {
    const { body = "" } = answer;
    const unread = await this.#writeHead(answer, Buffer.byteLength(body));
    if (unread === undefined) return;
    this.#finish(unread, body);
  }

  async stream(answer: StreamAnswer): Promise<void> {
    const unread = await this.#writeHead(answer, answer.length);
    if (unread === undefined) return;
    try {
      if (this.method !== "HEAD") await this.#pour(answer);
    } catch (thrown) {
      // The status has been sent: a broken connection is the only way left to say "not whole".
      this.#arrival.request.socket.destroy();
      throw asError(thrown);
    }
    if (!this.signal.aborted) this.#finish(unread);
  }

  /** The connection is gone. */
  connectionLost(): void {
    this.#body?.cut();
    if (this.#sent) return;
    this.#aborted = true;
    this.#abort?.abort();
  }

  /** What the client sends cannot be read further, but it may still listen. */
  inputBroken(): void {
    this.#broken = true;
    if (!this.#arrival.request.complete) this.#body?.cut();
  }

  /** The request is over for the server: what is left of its body is nobody's. */
  close(): void {
    this.#body?.discard();
  }

  #requestBody(): RequestBody {
    if (this.#body !== undefined) return this.#body;
    const { request } = this.#arrival;
    const { clock, watch } = this.#parts;
    const { announcedLength } = this;
    this.#body = new RequestBody({ request, announcedLength, clock, watch, sender: this });
    if (this.#broken && !request.complete) this.#body.cut();
    return this.#body;
  }

  /** Sends the interim answer, where one was asked for. */
  begin(): void {
    if (!this.#arrival.expectsContinue || this.#continued || this.#answered) return;
    const { response } = this.#arrival;
    if (response.socket === null) {
      // Pipelined behind another answer: Node would put this one's head before the interim answer.
      response.once("socket", () => {
        this.begin();
      });
      return;
    }
    this.#continued = true;
    response.writeContinue();
  }

  /** Whether the request has an unread rest; undefined when the connection is gone. */
  async #writeHead(answer: Answer | StreamAnswer, length: number): Promise<boolean | undefined> {
    if (this.#answered) throw new Error("an exchange has one answer");
    // What came in one piece with the head is parsed by the time a promise goes on.
    await Promise.resolve();
    const { request, response } = this.#arrival;
    if (request.socket.destroyed) {
      this.#answered = true;
      return undefined;
    }
    const unread = !request.complete;
    const cors = corsHeaders(this.#parts.corsOrigins, this.header("origin"));
    const headers: Record<string, string> = { ...answer.headers, ...cors };
    if (answer.status !== 204 && answer.status !== 304) headers["Content-Length"] = String(length);
    if (unread || this.#broken || this.#parts.closing()) headers.Connection = "close";
    response.writeHead(answer.status, headers);
    this.#answered = true;
    return unread;
  }

  async #pour({ chunks, length }: StreamAnswer): Promise<void> {
    const { response } = this.#arrival;
    let poured = 0;
    for await (const chunk of chunks) {
      if (this.signal.aborted) return;
      poured += chunk.length;
      if (poured > length) throw new Error(`more than the announced ${length} bytes`);
      if (!response.write(chunk) && !(await this.#drained())) return;
    }
    if (poured < length) throw new Error(`${poured} bytes instead of the announced ${length}`);
  }

  /** False when the client went away instead. */
  async #drained(): Promise<boolean> {
    try {
      await once(this.#arrival.response, "drain", { signal: this.signal });
      return true;
    } catch (thrown) {
      if (this.signal.aborted) return false;
      throw thrown;
    }
  }

  #finish(unread: boolean, body: string | Buffer = ""): void {
    this.#sent = true;
    const { request, response } = this.#arrival;
    if (!unread) {
      // What was parsed but not asked for would hold up the connection's next request.
      this.#body?.stop();
      request.resume();
      // Text that ends a response goes out in one piece with its head.
      response.end(body);
      return;
    }
    // Ending the response would make Node close, or swallow all of the body first. The length
    // tells the client where the answer ends, so it misses nothing.
    if (body.length > 0) response.write(body);
    // Node drops what is written to the answer of a HEAD, and its head with it.
    response.flushHeaders();
    this.#body?.stop();
    if (response.socket !== null) this.#closeRefused();
    else
      response.once("socket", () => {
        this.#closeRefused();
      });
  }

  #closeRefused(): void {
    const { request, expectsContinue } = this.#arrival;
    const drain = (!expectsContinue || this.#continued) && !this.#broken;
    void closeRefused({ request, clock: this.#parts.clock, drain });
  }
}

function announcedLength(request: IncomingMessage): number | undefined {
  if (request.headers["transfer-encoding"] !== undefined) return undefined;
  return Number(request.headers["content-length"] ?? 0);
}

function endingError(ending: Exclude<BodyEnding, "clean">): UploadError {
  switch (ending) {
    case "cut":
      return uploadError("body_cut", { offset: 0 });
    case "silent":
    case "slow":
      return uploadError("body_too_slow", { offset: 0 });
    case "stopped":
      return uploadError("draining", { offset: 0 });
  }
}
