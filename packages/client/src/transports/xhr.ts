import { abortable, throwIfAborted } from "../abortable.ts";
import { UploadError } from "../errors.ts";
import { refuseChanged } from "../sources/blob.ts";
import { browserBody, browserUrl, connectionFailed } from "./browser-request.ts";
import { watchForStall } from "./stall-watch.ts";
import type { TransportAnswer, TransportRequest } from "./transport.ts";
import { answerBytesMax, answerTooLong } from "./transport.ts";

/**
 * One exchange over XMLHttpRequest, because nothing else in a browser tells how much of a body has
 * gone. A header that CORS hides is absent from the answer's `headers`.
 */
export async function sendXhr(request: TransportRequest): Promise<TransportAnswer> {
  throwIfAborted(request.signal);
  const content = request.body && (await browserBody(request.body));
  try {
    return await exchange(request, content);
  } finally {
    // Of a file that changed the browser says only that the request failed, and of one that
    // changed on the way it says nothing. This throws in place of either.
    if (content !== undefined) await refuseChanged(content);
  }
}

async function exchange(
  request: TransportRequest,
  content: Blob | undefined,
): Promise<TransportAnswer> {
  const { signal, stallMs, answerMs, onSent } = request;
  const xhr = new XMLHttpRequest();
  const { promise, resolve, reject } = Promise.withResolvers<TransportAnswer>();
  const watch = watchForStall(reject);
  const expectMore = () => {
    watch.expect(stallMs, "the answer stopped half-way");
  };
  const expectAnswer = (patienceMs: number) => {
    watch.expect(patienceMs, "the server did not answer");
  };
  const { upload } = xhr;
  if (content !== undefined) {
    upload.onprogress = ({ loaded }) => {
      watch.expect(stallMs, "the connection took nothing");
      onSent?.(loaded);
    };
    upload.onload = ({ loaded }) => {
      expectAnswer(answerMs);
      onSent?.(loaded);
    };
  }
  xhr.onreadystatechange = () => {
    if (xhr.readyState === XMLHttpRequest.HEADERS_RECEIVED) expectMore();
  };
  xhr.onprogress = ({ loaded }) => {
    expectMore();
    if (loaded > answerBytesMax) reject(answerTooLong());
  };
  xhr.onload = () => {
    resolve({ status: xhr.status, headers: readHeaders(xhr), text: xhr.responseText });
  };
  xhr.onerror = () => {
    reject(connectionFailed());
  };
  // Also when the page is left.
  xhr.onabort = () => {
    reject(new UploadError("network", "the browser broke off the request"));
  };
  try {
    xhr.open(request.method, browserUrl(request));
    for (const [name, value] of Object.entries(request.headers)) xhr.setRequestHeader(name, value);
    if (content === undefined) expectAnswer(stallMs);
    else watch.expect(stallMs, "the connection took nothing");
    xhr.send(content ?? null);
    return await abortable(promise, signal);
  } finally {
    watch.rest();
    // Whatever failed first; of what is over nothing is left to abort.
    xhr.abort();
  }
}

/** Only those that CORS lets this page see; asking for another by name would log a warning. */
function readHeaders(xhr: XMLHttpRequest): Record<string, string> {
  const lines = xhr.getAllResponseHeaders().matchAll(/^(.+?): (.*)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = "", value = ""]) => [name, value]));
}
