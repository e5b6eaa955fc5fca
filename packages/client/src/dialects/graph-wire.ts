import { UploadError } from "../errors.ts";
import type {
  Transport,
  TransportBody,
  TransportDownload,
  TransportRequest,
} from "../transports/transport.ts";
import type { Json } from "./graph-answer.ts";
import { readJson, readRefusal } from "./graph-answer.ts";
import type { TokenSource } from "./token.ts";
import { TokenHolder } from "./token.ts";

/** Where and as whom to call. */
export interface GraphConnection {
  /** Base URL without a slash at its end. */
  readonly url: string;
  /** Such as `v21.0`. */
  readonly version: string;
  readonly token: TokenSource;
  readonly stallMs: number;
  readonly answerMs: number;
}

export interface GraphCall {
  readonly method: TransportRequest["method"];
  /** After the version; pasted as it is. */
  readonly path: string;
  /** Encoded and put behind `?`, or behind `&` when the path already holds a `?`, as ids do. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: TransportBody;
  /** Sent as JSON. */
  readonly json?: Json;
  readonly onSent?: ((sent: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** One call to a Graph server: address, token, and what its refusals mean. */
export class GraphWire {
  readonly #connection: GraphConnection;
  readonly #transport: Transport;
  readonly #tokens: TokenHolder;

  constructor(connection: GraphConnection, transport: Transport) {
    this.#connection = connection;
    this.#transport = transport;
    this.#tokens = new TokenHolder(connection.token);
  }

  /** The JSON object of a 2xx answer; anything else is thrown. */
  async call(call: GraphCall): Promise<Json> {
    return this.#withToken(call, async (request) => {
      const answer = await this.#transport.send(request);
      if (isSuccess(answer.status)) return readJson(answer);
      throw readRefusal(answer);
    });
  }

  /** A 2xx answer whose body is read by the caller; anything else is thrown. */
  async download(call: GraphCall): Promise<TransportDownload> {
    return this.#withToken(call, async (request) => {
      const download = await this.#transport.receive(request);
      if (isSuccess(download.status)) return download;
      const text = await collect(download.body);
      throw readRefusal({ status: download.status, headers: download.headers, text });
    });
  }

  async #withToken<T>(call: GraphCall, send: (request: TransportRequest) => Promise<T>) {
    const token = await this.#tokens.current(call.signal);
    try {
      return await send(this.#request(call, token));
    } catch (error) {
      if (!isUnauthorised(error)) throw error;
      const renewed = await this.#tokens.renew(token, call.signal);
      if (renewed === undefined) throw error;
      // Such a refusal comes before anything is stored; should it not, the offset of the second try is
      // refused and asked for as usual.
      return await send(this.#request(call, renewed));
    }
  }

  #request(call: GraphCall, token: string): TransportRequest {
    const { url, version, stallMs, answerMs } = this.#connection;
    const json = call.json === undefined ? undefined : jsonBody(call.json);
    return {
      method: call.method,
      url: `${url}/${version}/${withQuery(call.path, call.query ?? {})}`,
      headers: {
        // The guide's scheme; the upload node takes a token from nowhere but the header.
        authorization: `OAuth ${token}`,
        "user-agent": "hawser-client",
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...call.headers,
      },
      body: call.body ?? json,
      signal: call.signal,
      stallMs,
      answerMs,
      onSent: call.onSent,
    };
  }
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  if (pairs.length === 0) return path;
  return `${path}${path.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}

function jsonBody(value: Json): TransportBody {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return {
    length: bytes.length,
    // eslint-disable-next-line @typescript-eslint/require-await -- the contract is asynchronous
    open: async function* () {
      yield bytes;
    },
  };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Graph says that a token has expired with its code 190, and not always with a 401. */
function isUnauthorised(error: unknown): boolean {
  if (!(error instanceof UploadError)) return false;
  return error.facts.status === 401 || error.facts.graphCode === 190;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    // Only the beginning is of use, and a refusal has no right to be long.
    if (text.length > 64 * 1024) break;
  }
  return text;
}
