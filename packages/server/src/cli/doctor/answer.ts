/** One answer of HTTP/1.1, wholly read. */
export interface Answer {
  readonly status: number;
  /** As `1.1`. */
  readonly version: string;
  /** Names in lower case; doubled ones joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What an answer's bytes are read by. */
export interface Reading {
  readonly method: string;
  /** Whether nothing more will come. */
  readonly ended: boolean;
}

interface Head {
  readonly status: number;
  readonly version: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly length: number;
}

/** The status of the interim answer (1xx) with which the bytes begin, and its length. */
export function parseInterim(bytes: Buffer): { status: number; length: number } | undefined {
  const head = parseHead(bytes);
  if (head === undefined || head.status >= 200 || head.status === 101) return undefined;
  return { status: head.status, length: head.length };
}

/** The final answer with which the bytes begin, and its length; undefined until it is whole. */
export function parseAnswer(
  bytes: Buffer,
  reading: Reading,
): { answer: Answer; length: number } | undefined {
  const head = parseHead(bytes);
  if (head === undefined) return undefined;
  const { status, version, headers } = head;
  const rest = bytes.subarray(head.length);
  const body = parseBody(rest, head, reading);
  if (body === undefined) return undefined;
  const answer = { status, version, headers, body: body.bytes };
  return { answer, length: head.length + body.length };
}

/** The answer's body as a JSON object; an empty one when it is none. */
export function jsonOf({ body }: Answer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Whether it is the server's own "so far, so good": proxies were seen to make up an empty 200. */
export function isTaken(answer: Answer): boolean {
  return answer.status === 200 && typeof jsonOf(answer).file_offset === "number";
}

/** Whether Hawser gave the answer; otherwise something before it did. */
export function isHawsers(answer: Answer): boolean {
  return answer.headers.has("x-fb-trace-id") || answer.body.includes('"fbtrace_id"');
}

/** The answer in a few words, as evidence. */
export function describeAnswer(answer: Answer): string {
  const server = answer.headers.get("server");
  const empty = answer.body.length === 0 ? ", empty" : "";
  const by = isHawsers(answer) ? "Hawser" : (server ?? "a proxy that names itself nowhere");
  const { error } = jsonOf(answer);
  const told =
    typeof error === "object" && error !== null && "message" in error ? String(error.message) : "";
  return `${answer.status} by ${by}${empty}${told === "" ? "" : ` (${told.slice(0, 160)})`}`;
}

function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const match = /^HTTP\/(\d\.\d) (\d{3})/.exec(first);
  if (match?.[1] === undefined) throw new Error(`what came is not HTTP: ${first.slice(0, 60)}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { status: Number(match[2]), version: match[1], headers, length: end + 4 };
}

interface Body {
  readonly bytes: Buffer;
  /** On the wire. */
  readonly length: number;
}

/** How long a body is, as RFC 9112, section 6.3 has it. */
function parseBody(rest: Buffer, head: Head, { method, ended }: Reading): Body | undefined {
  if (method === "HEAD" || head.status === 204 || head.status === 304) {
    return { bytes: Buffer.alloc(0), length: 0 };
  }
  if (head.headers.get("transfer-encoding")?.toLowerCase() === "chunked") return parseChunks(rest);
  const announced = head.headers.get("content-length");
  if (announced === undefined) return ended ? { bytes: rest, length: rest.length } : undefined;
  const length = Number(announced);
  return rest.length < length ? undefined : { bytes: rest.subarray(0, length), length };
}

function parseChunks(rest: Buffer): Body | undefined {
  const chunks: Buffer[] = [];
  for (let from = 0; ;) {
    const lineEnd = rest.indexOf("\r\n", from);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.subarray(from, lineEnd).toString("latin1"), 16);
    if (Number.isNaN(size)) throw new Error("a chunk of the answer has no size");
    const start = lineEnd + 2;
    if (size === 0) {
      // Trailers are of no interest: none is sent with what is asked for here.
      const end = rest.indexOf("\r\n", start);
      return end < 0 ? undefined : { bytes: Buffer.concat(chunks), length: end + 2 };
    }
    if (rest.length < start + size + 2) return undefined;
    chunks.push(rest.subarray(start, start + size));
    from = start + size + 2;
  }
}
