import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { abortedBy } from "../abortable.ts";
import { asUploadError, UploadError } from "../errors.ts";
import { watchForStall } from "./stall-watch.ts";
import type { TransportBody, TransportDownload, TransportRequest } from "./transport.ts";

const sliceBytesMin = 16 * 1024;
const sliceBytesFirst = 64 * 1024;
const sliceBytesMax = 1024 * 1024;
// The kernel says only when a whole slice has gone. Slices are sized to take about this long, so
// that a slow line is told from a dead one and a fast line is not slowed by many small writes.
const sliceFastMs = 50;
const sliceSlowMs = 250;

/** One request and its answer over one connection. */
export class Exchange {
  readonly #request: TransportRequest;
  readonly #client: ClientRequest;
  readonly #watch = watchForStall((error) => {
    this.#fail(error);
  });
  /** The first thing that went wrong; what Node reports after it are only its echoes. */
  #failure: UploadError | undefined;
  #answered = false;
  #bodyGone = false;
  #settleWrite: (() => void) | undefined;

  constructor(request: TransportRequest, agent: Agent) {
    if (request.signal.aborted) throw abortedBy(request.signal);
    this.#request = request;
    const { secure, host, port, path } = splitUrl(request.url);
    this.#client = (secure ? requestSecure : requestPlain)({
      method: request.method,
      host,
      port,
      path,
      agent,
      headers: headersOf(request),
    });
  }

  async run(): Promise<TransportDownload> {
    const { signal } = this.#request;
    signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#watch.expect(this.#request.stallMs, "the connection took nothing");
    const answer = this.#awaitAnswer();
    this.#pump().catch((error: unknown) => {
      if (!this.#answered) this.#fail(asUploadError(error));
    });
    try {
      const response = await answer;
      const status = response.statusCode ?? 0;
      return { status, headers: flatten(response.headers), body: this.#read(response) };
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  #awaitAnswer(): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      this.#client.once("response", (response) => {
        this.#answered = true;
        this.#watch.expect(this.#request.stallMs, "the answer stopped half-way");
        resolve(response);
      });
      // This listener stays: a write that fails after an early answer must not end the process.
      this.#client.on("error", (error) => {
        this.#failure ??= connectionError(error);
        reject(this.#failure);
      });
      this.#client.once("close", () => {
        this.#settleWrite?.();
        const closed = new UploadError("network", "the connection was closed without an answer");
        reject(this.#failure ?? closed);
      });
    });
  }

  async #pump(): Promise<void> {
    const { body } = this.#request;
    if (body !== undefined && body.length > 0) await this.#sendBody(body);
    if (this.#isOver()) return;
    this.#bodyGone = true;
    this.#client.end();
    const wait = body === undefined ? this.#request.stallMs : this.#request.answerMs;
    this.#watch.expect(wait, "the server did not answer");
  }

  async #sendBody(body: TransportBody): Promise<void> {
    let sent = 0;
    let sliceBytes = sliceBytesFirst;
    for await (const chunk of body.open()) {
      for (let from = 0; from < chunk.length;) {
        // An early answer is a refusal or a hand-over: what is left would be sent for nothing.
        if (this.#isOver()) return;
        const slice = chunk.subarray(from, from + sliceBytes);
        const startedMs = performance.now();
        await this.#write(slice);
        if (this.#isOver()) return;
        sliceBytes = nextSliceBytes(sliceBytes, performance.now() - startedMs);
        from += slice.length;
        sent += slice.length;
        this.#watch.expect(this.#request.stallMs, "the connection took nothing");
        this.#request.onSent?.(sent);
      }
    }
    if (sent !== body.length && !this.#answered) {
      throw new UploadError("source-changed", `the source gave ${sent} of ${body.length} bytes`);
    }
  }

  #isOver(): boolean {
    return this.#answered || this.#failure !== undefined;
  }

  #write(slice: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settleWrite = resolve;
      this.#client.write(slice, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async *#read(response: IncomingMessage): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response as AsyncIterable<Uint8Array>) {
        // A reader that takes its time is not a stalled connection.
        this.#watch.rest();
        yield chunk;
        this.#watch.expect(this.#request.stallMs, "the answer stopped half-way");
      }
    } catch (error) {
      throw this.#failure ?? asUploadError(error);
    } finally {
      this.#release();
      // A connection with half a body on it cannot carry another request.
      if (!this.#bodyGone || !response.complete) this.#client.destroy();
    }
  }

  readonly #onAbort = (): void => {
    this.#fail(abortedBy(this.#request.signal));
  };

  #fail(error: UploadError): void {
    this.#failure ??= error;
    this.#watch.rest();
    this.#client.destroy(this.#failure);
  }

  #release(): void {
    this.#watch.rest();
    this.#request.signal.removeEventListener("abort", this.#onAbort);
  }
}

/** Node leaves `message` empty when every address of a host refused. */
function connectionError(error: Error): UploadError {
  if (error.message !== "") return asUploadError(error);
  const [inner] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [];
  const cause = new Error(inner instanceof Error ? inner.message : error.name, { cause: error });
  return asUploadError(cause);
}

function nextSliceBytes(bytes: number, tookMs: number): number {
  if (tookMs < sliceFastMs) return Math.min(bytes * 2, sliceBytesMax);
  if (tookMs > sliceSlowMs) return Math.max(bytes / 2, sliceBytesMin);
  return bytes;
}

/** Only the origin goes through `URL`: the path is used as it stands, ids are never re-encoded. */
function splitUrl(url: string) {
  const pathStart = url.indexOf("/", url.indexOf("://") + 3);
  const origin = new URL(pathStart < 0 ? url : url.slice(0, pathStart));
  return {
    secure: origin.protocol === "https:",
    host: origin.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: origin.port === "" ? undefined : Number(origin.port),
    path: pathStart < 0 ? "/" : url.slice(pathStart),
  };
}

/** A POST always tells its length, also an empty one: some proxies refuse it otherwise (411). */
function headersOf({ method, headers, body }: TransportRequest): Record<string, string> {
  const all = { "user-agent": "hawser-client", ...headers };
  if (body === undefined && method !== "POST") return all;
  return { ...all, "content-length": String(body?.length ?? 0) };
}

function flatten(headers: IncomingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}
