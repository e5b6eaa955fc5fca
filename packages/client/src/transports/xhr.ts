import { abortedBy } from "../abortable.ts";
import { UploadError } from "../errors.ts";
import { refuseChanged } from "../sources/blob.ts";
import { browserBody, browserHeaders, browserUrl, connectionFailed } from "./browser-request.ts";
import { fetchDownload } from "./fetch-download.ts";
import { StallWatch } from "./stall-watch.ts";
import type {
  Transport,
  TransportAnswer,
  TransportDownload,
  TransportRequest,
} from "./transport.ts";
import { answerBytesMax } from "./transport.ts";

/**
 * A browser's transport: XMLHttpRequest to send, because nothing else tells how much of a body has
 * gone, and fetch to receive. A header that CORS hides is absent from an answer's `headers`.
 */
export class XhrTransport implements Transport {
  async send(request: TransportRequest): Promise<TransportAnswer> {
    if (request.signal.aborted) throw abortedBy(request.signal);
    const content = request.body && (await browserBody(request.body));
    try {
      return await new XhrExchange(request, content).run();
    } finally {
      // Of a file that changed the browser says only that the request failed, and of one that
      // changed on the way it says nothing. This throws in place of either.
      if (content !== undefined) await refuseChanged(content);
    }
  }

  receive(request: TransportRequest): Promise<TransportDownload> {
    return fetchDownload(request);
  }
}

/** One request and its answer. */
class XhrExchange {
  readonly #request: TransportRequest;
  readonly #content: Blob | undefined;
  readonly #xhr = new XMLHttpRequest();
  readonly #answer = Promise.withResolvers<TransportAnswer>();
  readonly #watch = new StallWatch((error) => {
    this.#fail(error);
  });

  constructor(request: TransportRequest, content: Blob | undefined) {
    this.#request = request;
    this.#content = content;
  }

  async run(): Promise<TransportAnswer> {
    const { method, signal } = this.#request;
    this.#xhr.open(method, browserUrl(this.#request));
    for (const [name, value] of browserHeaders(this.#request)) {
      this.#xhr.setRequestHeader(name, value);
    }
    this.#listenToSending();
    this.#listenToAnswer();
    signal.addEventListener("abort", this.#onAbort, { once: true });
    try {
      this.#xhr.send(this.#content ?? null);
      return await this.#answer.promise;
    } finally {
      this.#watch.rest();
      signal.removeEventListener("abort", this.#onAbort);
    }
  }

  #listenToSending(): void {
    const { stallMs, answerMs, onSent } = this.#request;
    const { upload } = this.#xhr;
    if (this.#content === undefined) {
      this.#watch.expect(stallMs, "the server did not answer");
      return;
    }
    this.#watch.expect(stallMs, "the connection took nothing");
    upload.onprogress = ({ loaded }) => {
      this.#watch.expect(stallMs, "the connection took nothing");
      onSent?.(loaded);
    };
    upload.onload = ({ loaded }) => {
      this.#watch.expect(answerMs, "the server did not answer");
      onSent?.(loaded);
    };
  }

  #listenToAnswer(): void {
    const xhr = this.#xhr;
    const { stallMs } = this.#request;
    xhr.onreadystatechange = () => {
      if (xhr.readyState !== XMLHttpRequest.HEADERS_RECEIVED) return;
      this.#watch.expect(stallMs, "the answer stopped half-way");
    };
    xhr.onprogress = ({ loaded }) => {
      this.#watch.expect(stallMs, "the answer stopped half-way");
      if (loaded <= answerBytesMax) return;
      const message = `the answer is longer than ${answerBytesMax} bytes`;
      this.#fail(new UploadError("bad-answer", message));
    };
    xhr.onload = () => {
      const { status, responseText: text } = xhr;
      this.#answer.resolve({ status, headers: readHeaders(xhr), text });
    };
    xhr.onerror = () => {
      this.#fail(connectionFailed());
    };
    // Also when the page is left.
    xhr.onabort = () => {
      this.#fail(new UploadError("network", "the browser broke off the request"));
    };
  }

  readonly #onAbort = (): void => {
    this.#fail(abortedBy(this.#request.signal));
  };

  /** The first failure counts: aborting fails once more. */
  #fail(error: UploadError): void {
    this.#answer.reject(error);
    this.#xhr.abort();
  }
}

/** Only those that CORS lets this page see; asking for another by name would log a warning. */
function readHeaders(xhr: XMLHttpRequest): Record<string, string> {
  const lines = xhr.getAllResponseHeaders().split("\r\n");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const colon = line.indexOf(":");
      if (colon < 0) return [];
      return [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
    }),
  );
}
