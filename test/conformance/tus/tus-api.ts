import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

export type TusHeaders = Readonly<Record<string, string>>;

export const version = "1.0.0";
export const offsetType = "application/offset+octet-stream";

export interface TusRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: TusHeaders;
  readonly body?: Uint8Array | string;
}

/** One answer, wholly read. */
export class TusAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;

  constructor(status: number, headers: IncomingHttpHeaders, body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** The items of a comma-separated header. */
  list(name: string): string[] {
    const value = this.header(name);
    return value === undefined ? [] : value.split(",").map((item) => item.trim());
  }

  get offset(): number | undefined {
    const text = this.header("upload-offset");
    return text === undefined ? undefined : Number(text);
  }

  /** What to show when an expectation fails. */
  get seen(): string {
    return `${this.status} ${JSON.stringify(this.headers)} ${this.body.toString()}`;
  }
}

export interface TusApiOptions {
  /** Where uploads are created. */
  readonly url: URL;
  /** Undefined for a server that wants none. */
  readonly token: string | undefined;
}

export interface PatchRequest {
  readonly url: URL;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly headers?: TusHeaders;
}

/**
 * What the suite knows about the protocol's requests, on node:http alone: it shares nothing with
 * the clients that the server is tried with elsewhere.
 */
export class TusApi {
  readonly url: URL;
  readonly token: string | undefined;

  constructor({ url, token }: TusApiOptions) {
    this.url = url;
    this.token = token;
  }

  /** The same server seen with another token, or with none. */
  withToken(token: string | undefined): TusApi {
    return new TusApi({ url: this.url, token });
  }

  get authorization(): TusHeaders {
    return this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
  }

  /** Exactly these headers, beside the token. */
  async bare({ method, url, headers = {}, body }: TusRequest): Promise<TusAnswer> {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const length = body === undefined ? {} : { "Content-Length": `${Buffer.byteLength(body)}` };
    const done = Promise.withResolvers<TusAnswer>();
    const outgoing = send(
      url,
      // A connection of its own: an early refusal closes it, which must not hit the next request.
      { method, headers: { ...length, ...this.authorization, ...headers }, agent: false },
      (response) => {
        readAnswer(response).then(done.resolve, done.reject);
      },
    );
    outgoing.on("error", done.reject);
    outgoing.end(body);
    return done.promise;
  }

  /** With the version that every request must name. */
  async request({ headers = {}, ...request }: TusRequest): Promise<TusAnswer> {
    return this.bare({ ...request, headers: { "Tus-Resumable": version, ...headers } });
  }

  async options(url = this.url, headers: TusHeaders = {}): Promise<TusAnswer> {
    return this.bare({ method: "OPTIONS", url, headers });
  }

  async post(headers: TusHeaders, body: Uint8Array | string = ""): Promise<TusAnswer> {
    return this.request({ method: "POST", url: this.url, headers, body });
  }

  async head(url: URL): Promise<TusAnswer> {
    return this.request({ method: "HEAD", url });
  }

  async patch({ url, offset, bytes, headers = {} }: PatchRequest): Promise<TusAnswer> {
    return this.request({
      method: "PATCH",
      url,
      headers: { "Content-Type": offsetType, "Upload-Offset": `${offset}`, ...headers },
      body: bytes,
    });
  }

  async delete(url: URL): Promise<TusAnswer> {
    return this.request({ method: "DELETE", url });
  }

  /** Creates an upload and answers its URL. */
  async create(headers: TusHeaders): Promise<URL> {
    return this.locationOf(await this.post(headers));
  }

  /** Creates an upload of these bytes, sends them, and answers its URL. */
  async upload(bytes: Uint8Array, headers: TusHeaders = {}): Promise<URL> {
    const url = await this.create({ "Upload-Length": `${bytes.length}`, ...headers });
    const answer = await this.patch({ url, offset: 0, bytes });
    if (answer.status !== 204) throw new Error(`patch: ${answer.seen}`);
    return url;
  }

  /** Where a created upload is; it may be named relative to where it was created. */
  locationOf(answer: TusAnswer): URL {
    const location = answer.header("location");
    if (answer.status !== 201 || location === undefined) throw new Error(`post: ${answer.seen}`);
    return new URL(location, this.url);
  }

  async offsetOf(url: URL): Promise<number> {
    const answer = await this.head(url);
    const { offset } = answer;
    if (answer.status !== 200 || offset === undefined) throw new Error(`head: ${answer.seen}`);
    return offset;
  }
}

async function readAnswer(response: IncomingMessage): Promise<TusAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return new TusAnswer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks));
}

/** `Upload-Metadata` of these pairs. */
export function metadataOf(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`)
    .join(",");
}
