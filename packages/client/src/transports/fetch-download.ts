import { abortedBy } from "../abortable.ts";
import { browserBody, browserUrl, connectionFailed } from "./browser-request.ts";
import { watchForStall } from "./stall-watch.ts";
import type { TransportDownload, TransportRequest } from "./transport.ts";

/** One exchange over fetch, whose answer is read as it comes. */
export function fetchDownload(request: TransportRequest): Promise<TransportDownload> {
  return new FetchExchange(request).run();
}

class FetchExchange {
  readonly #request: TransportRequest;
  readonly #stalled = new AbortController();
  readonly #signal: AbortSignal;
  readonly #watch = watchForStall((error) => {
    this.#stalled.abort(error);
  });

  constructor(request: TransportRequest) {
    this.#request = request;
    this.#signal = AbortSignal.any([request.signal, this.#stalled.signal]);
  }

  async run(): Promise<TransportDownload> {
    const { method, headers, body, stallMs, answerMs } = this.#request;
    const content = body && (await browserBody(body));
    const url = browserUrl(this.#request);
    this.#watch.expect(content === undefined ? stallMs : answerMs, "the server did not answer");
    try {
      const sent = { method, headers, body: content ?? null, signal: this.#signal };
      const response = await fetch(url, sent);
      this.#watch.expect(stallMs, "the answer stopped half-way");
      // A header that CORS hides from this page is not among these.
      const shown = Object.fromEntries(response.headers);
      return { status: response.status, headers: shown, body: this.#read(response) };
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async *#read(response: Response): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    try {
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true };
        // A reader that takes its time is not a stalled connection.
        this.#watch.rest();
        if (done) return;
        yield value;
        this.#watch.expect(this.#request.stallMs, "the answer stopped half-way");
      }
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#watch.rest();
      await reader?.cancel().catch(() => undefined);
    }
  }

  #failure(cause: unknown) {
    this.#watch.rest();
    return this.#signal.aborted ? abortedBy(this.#signal) : connectionFailed(cause);
  }
}
