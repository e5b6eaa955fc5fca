import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { RawRequestHead } from "../../support/raw-http.ts";

/** Query or form fields in order; a list of pairs where a name comes twice. */
export type Fields = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

export interface GraphRequest {
  readonly method: string;
  /** What follows the base URL, sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One answer, wholly read. */
export class GraphAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;

  constructor(status: number, headers: IncomingHttpHeaders, body: Buffer) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** The body as a JSON object; anything else is an error that shows what came instead. */
  get json(): JsonRecord {
    const text = this.body.toString();
    const parsed: unknown = this.#parsed(text);
    if (!isRecord(parsed)) throw new Error(`${this.status} without a JSON object: ${text}`);
    return parsed;
  }

  text(field: string): string {
    const value = this.json[field];
    if (typeof value === "string") return value;
    throw new Error(`${this.status}: no string ${field} in ${this.body.toString()}`);
  }

  number(field: string): number {
    const value = this.json[field];
    if (typeof value === "number") return value;
    throw new Error(`${this.status}: no number ${field} in ${this.body.toString()}`);
  }

  record(field: string): JsonRecord {
    const value = this.json[field];
    if (isRecord(value)) return value;
    throw new Error(`${this.status}: no object ${field} in ${this.body.toString()}`);
  }

  /** The objects of a list. */
  records(field: string): JsonRecord[] {
    const value = this.json[field];
    if (Array.isArray(value)) return value.filter(isRecord);
    throw new Error(`${this.status}: no list ${field} in ${this.body.toString()}`);
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
}

export interface GraphApiOptions {
  readonly url: URL;
  readonly appId: string;
  readonly token: string;
}

export interface StartFields {
  readonly file_name?: string;
  readonly file_length?: number | string;
  readonly file_type?: string;
}

export interface AppendRequest {
  readonly id: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The path that addresses an upload: its id is pasted as it is. */
export function uploadPath(id: string, version = "/v21.0"): string {
  return `${version}/${id}`;
}

export function queryOf(fields: Fields): string {
  const pairs: readonly (readonly [string, string])[] = isPairs(fields)
    ? fields
    : Object.entries(fields);
  return pairs
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}

function isPairs(fields: Fields): fields is readonly (readonly [string, string])[] {
  return Array.isArray(fields);
}

/**
 * What the suite knows about the protocol's requests, on node:http alone: it shares nothing with
 * the project's own client, so that a mistake there cannot hide the same mistake in the server.
 */
export class GraphApi {
  readonly url: URL;
  readonly appId: string;
  readonly token: string;

  constructor(options: GraphApiOptions) {
    this.url = options.url;
    this.appId = options.appId;
    this.token = options.token;
  }

  /** The same server seen with other credentials. */
  as(credentials: { readonly appId?: string; readonly token?: string }): GraphApi {
    const { url, appId, token } = this;
    return new GraphApi({ url, appId, token, ...credentials });
  }

  get authorization(): { readonly Authorization: string } {
    return { Authorization: `OAuth ${this.token}` };
  }

  /** The head of an append from the first byte, for a connection whose body is sent by hand. */
  appendHead(id: string, length: number): RawRequestHead {
    return {
      method: "POST",
      path: uploadPath(id),
      headers: [
        ["Authorization", `OAuth ${this.token}`],
        ["file_offset", "0"],
        ["Content-Length", String(length)],
      ],
    };
  }

  /** A path below the base URL, which may itself have one. */
  pathOf(path: string): string {
    return `${this.url.pathname.replace(/\/$/, "")}${path}`;
  }

  async request({ method, path, headers = {}, body }: GraphRequest): Promise<GraphAnswer> {
    const send = this.url.protocol === "https:" ? httpsRequest : httpRequest;
    const length = body === undefined ? {} : { "Content-Length": `${Buffer.byteLength(body)}` };
    const done = Promise.withResolvers<GraphAnswer>();
    const outgoing = send(
      {
        protocol: this.url.protocol,
        hostname: this.url.hostname,
        port: this.url.port,
        method,
        path: this.pathOf(path),
        headers: { ...length, ...headers },
        // A connection of its own: an early refusal closes it, which must not hit the next request.
        agent: false,
      },
      (response) => {
        readAnswer(response).then(done.resolve, done.reject);
      },
    );
    outgoing.on("error", done.reject);
    outgoing.end(body);
    return done.promise;
  }

  /** With the token in the header, as upload:{id} wants it and every other route accepts it. */
  async authorized(request: GraphRequest): Promise<GraphAnswer> {
    return this.request({ ...request, headers: { ...this.authorization, ...request.headers } });
  }

  /** GET with the token in the header; the path may hold a query. */
  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<GraphAnswer> {
    return this.authorized({ method: "GET", path, headers });
  }

  async delete(path: string): Promise<GraphAnswer> {
    return this.authorized({ method: "DELETE", path });
  }

  /** POST with fields in a urlencoded body and the token in the header. */
  async postForm(path: string, fields: Fields): Promise<GraphAnswer> {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    return this.authorized({ method: "POST", path, headers, body: queryOf(fields) });
  }

  async postJson(path: string, value: unknown): Promise<GraphAnswer> {
    const headers = { "Content-Type": "application/json" };
    return this.authorized({ method: "POST", path, headers, body: JSON.stringify(value) });
  }

  /** Step 1 with exactly these query fields and no other credentials. */
  async startWith(fields: Fields, headers: Readonly<Record<string, string>> = {}) {
    const path = `/v21.0/${this.appId}/uploads?${queryOf(fields)}`;
    return this.request({ method: "POST", path, headers });
  }

  /** Step 1; answers the id. */
  async start(fields: StartFields = {}): Promise<string> {
    const { file_name = "file.pdf", file_length = 10, file_type = "application/pdf" } = fields;
    const named = { file_name, file_length: `${file_length}`, file_type };
    const answer = await this.startWith({ ...named, access_token: this.token });
    if (answer.status !== 200) throw new Error(`start: ${answer.status} ${answer.body.toString()}`);
    return answer.text("id");
  }

  /** Step 2. */
  async append({ id, offset, bytes, headers = {} }: AppendRequest): Promise<GraphAnswer> {
    return this.authorized({
      method: "POST",
      path: uploadPath(id),
      headers: { file_offset: `${offset}`, ...headers },
      body: bytes,
    });
  }

  /** Step 3, with further fields if named. */
  async status(id: string, fields?: string): Promise<GraphAnswer> {
    return this.get(fields === undefined ? uploadPath(id) : `${uploadPath(id)}&fields=${fields}`);
  }

  async offset(id: string): Promise<number> {
    return (await this.status(id)).number("file_offset");
  }

  /** Steps 1 and 2 in one go; answers the handle. */
  async upload(bytes: Uint8Array, fields: StartFields = {}): Promise<string> {
    const id = await this.start({ ...fields, file_length: bytes.length });
    const answer = await this.append({ id, offset: 0, bytes });
    if (answer.status !== 200) throw new Error(`append: ${answer.body.toString()}`);
    return answer.text("h");
  }

  /** Publishes a handle on the files edge; answers the file's id. */
  async publish(handle: string, fields: Readonly<Record<string, string>> = {}): Promise<string> {
    const answer = await this.postForm(`/v21.0/${this.appId}/files`, { handle, ...fields });
    if (answer.status !== 200) throw new Error(`publish: ${answer.body.toString()}`);
    return answer.text("id");
  }

  /** The bytes of a published file. */
  async content(fileId: string): Promise<Buffer> {
    const answer = await this.get(`/v21.0/${fileId}/content`);
    if (answer.status !== 200) throw new Error(`content: ${answer.status}`);
    return answer.body;
  }
}

async function readAnswer(response: IncomingMessage): Promise<GraphAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return new GraphAnswer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks));
}
