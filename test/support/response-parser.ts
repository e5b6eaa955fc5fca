/** One header line as it stood on the wire: neither joined, nor reordered, nor lower-cased. */
export type HeaderLine = readonly [name: string, value: string];

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly HeaderLine[];
}

export interface RawResponse extends ResponseHead {
  readonly body: Buffer;
  /** False when the connection ended before the body did. */
  readonly whole: boolean;
  /** The 1xx answers that came before, in order. */
  readonly interim: readonly ResponseHead[];
}

export interface ParseContext {
  /** HEAD's answers have no body whatever their headers say. */
  readonly method: string;
  /** The peer will send nothing more. */
  readonly ended: boolean;
}

export interface Parsed {
  readonly response: RawResponse;
  /** Bytes that belong to this response; what follows is the next one's. */
  readonly consumed: number;
}

interface Body {
  readonly bytes: Buffer;
  readonly consumed: number;
  readonly whole: boolean;
}

const headEnd = "\r\n\r\n";

export function headerValues(head: ResponseHead, name: string): string[] {
  const wanted = name.toLowerCase();
  return head.headers.filter(([found]) => found.toLowerCase() === wanted).map(([, value]) => value);
}

export function headerValue(head: ResponseHead, name: string): string | undefined {
  return headerValues(head, name)[0];
}

function parseHead(text: string): ResponseHead {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const match = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine);
  if (match === null) throw new Error(`not an HTTP/1.1 status line: ${JSON.stringify(statusLine)}`);
  const headers = lines.map((line): HeaderLine => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`not a header line: ${JSON.stringify(line)}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status: Number(match[1]), reason: match[2] ?? "", headers };
}

function parseChunked(rest: Buffer): Body {
  const chunks: Buffer[] = [];
  let position = 0;
  for (;;) {
    const lineEnd = rest.indexOf("\r\n", position, "latin1");
    if (lineEnd < 0) break;
    const sizeText = rest.toString("latin1", position, lineEnd).split(";")[0] ?? "";
    if (!/^[0-9a-f]+$/i.test(sizeText)) throw new Error(`not a chunk size: ${sizeText}`);
    const size = Number.parseInt(sizeText, 16);
    const from = lineEnd + 2;
    if (size === 0) return endOfChunks(rest, { chunks, from });
    if (rest.length < from + size + 2) break;
    chunks.push(rest.subarray(from, from + size));
    position = from + size + 2;
  }
  return { bytes: Buffer.concat(chunks), consumed: rest.length, whole: false };
}

/** After the last chunk: trailer lines, if any, then an empty line. */
function endOfChunks(rest: Buffer, last: { chunks: readonly Buffer[]; from: number }): Body {
  const bytes = Buffer.concat(last.chunks);
  if (rest.toString("latin1", last.from, last.from + 2) === "\r\n") {
    return { bytes, consumed: last.from + 2, whole: true };
  }
  const trailersEnd = rest.indexOf(headEnd, last.from, "latin1");
  if (trailersEnd < 0) return { bytes, consumed: rest.length, whole: false };
  return { bytes, consumed: trailersEnd + headEnd.length, whole: true };
}

function parseBody(head: ResponseHead, rest: Buffer, context: ParseContext): Body {
  const bodiless = context.method === "HEAD" || head.status === 204 || head.status === 304;
  if (bodiless) return { bytes: Buffer.alloc(0), consumed: 0, whole: true };
  if (headerValue(head, "transfer-encoding")?.toLowerCase() === "chunked") {
    return parseChunked(rest);
  }
  const declared = headerValue(head, "content-length");
  // Without a length and without chunks the body lasts until the connection closes.
  if (declared === undefined) return { bytes: rest, consumed: rest.length, whole: context.ended };
  const length = Number(declared);
  const bytes = rest.subarray(0, length);
  return { bytes, consumed: bytes.length, whole: bytes.length === length };
}

/**
 * Reads one final response, with the interim ones before it, from the start of `received`.
 * Returns undefined while more bytes are needed and more may come.
 */
export function parseResponse(received: Buffer, context: ParseContext): Parsed | undefined {
  const interim: ResponseHead[] = [];
  let position = 0;
  for (;;) {
    const end = received.indexOf(headEnd, position, "latin1");
    if (end < 0) return undefined;
    const head = parseHead(received.toString("latin1", position, end));
    position = end + headEnd.length;
    if (head.status < 200) {
      interim.push(head);
      continue;
    }
    const body = parseBody(head, received.subarray(position), context);
    if (!body.whole && !context.ended) return undefined;
    const response = { ...head, body: Buffer.from(body.bytes), whole: body.whole, interim };
    return { response, consumed: position + body.consumed };
  }
}

/** The interim responses that have arrived so far, for a test that waits for a 100 or a 104. */
export function interimSoFar(received: Buffer): ResponseHead[] {
  const heads: ResponseHead[] = [];
  let position = 0;
  for (;;) {
    const end = received.indexOf(headEnd, position, "latin1");
    if (end < 0) return heads;
    const head = parseHead(received.toString("latin1", position, end));
    if (head.status >= 200) return heads;
    heads.push(head);
    position = end + headEnd.length;
  }
}
