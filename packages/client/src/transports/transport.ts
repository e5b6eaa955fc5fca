import { UploadError } from "../errors.ts";

/** Bytes of an answer that is read as text. */
export const answerBytesMax = 4 * 1024 * 1024;

export function answerTooLong(): UploadError {
  return new UploadError("bad-answer", `the answer is longer than ${answerBytesMax} bytes`);
}

/** The body of a request: a known number of bytes that can be read more than once. */
export interface TransportBody {
  /** Bytes; sent as `Content-Length`. */
  readonly length: number;
  /**
   * Reads the body from its beginning. A chunk belongs to the reader only until it asks for the
   * next one, so that a source can reuse its buffers. Returning early releases everything.
   */
  open(): AsyncIterable<Uint8Array>;
  /**
   * The same bytes as a `Blob`, where the source is one: a browser sends it without reading it into
   * memory first.
   */
  readonly blob?: (() => Blob) | undefined;
}

/** One HTTP request, and how long to wait for it to move and to be answered; milliseconds. */
export interface TransportRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "DELETE";
  /** Absolute. Used as it is: a transport must not re-encode the path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: TransportBody | undefined;
  readonly signal: AbortSignal;
  /** No byte accepted or received for this long means the connection is dead. */
  readonly stallMs: number;
  /** From the last byte sent to the first of the answer. */
  readonly answerMs: number;
  /** Called as the network takes the body; bytes of this body so far. */
  readonly onSent?: ((sent: number) => void) | undefined;
}

/** An answer of any status, its whole body read as text: 4 MiB at most. */
export interface TransportAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** An answer of any status whose body comes in chunks, as it arrives. */
export interface TransportDownload {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** To be read to its end or returned from; a body nobody reads is cut after `stallMs`. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Carries one HTTP exchange. Node's is over node:http, a browser's over XMLHttpRequest.
 *
 * It answers with whatever status came; only a failed exchange throws, as an `UploadError`:
 * `network`, `stalled`, `aborted`, or what the body's source threw. An answer that comes before the
 * body has gone ends the sending and is returned, except in a browser, which shows it after the
 * body or not at all. Nothing is retried here.
 */
export interface Transport {
  /** Sends and reads the whole answer as text, at most `answerBytesMax` of it. */
  send(request: TransportRequest): Promise<TransportAnswer>;
}

/** The same for answers that are not held in memory as a whole; a browser's is over fetch. */
export interface DownloadTransport {
  /** Sends and hands the answer's body over as it comes. */
  receive(request: TransportRequest): Promise<TransportDownload>;
}
