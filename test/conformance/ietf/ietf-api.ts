import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";

import { isRecord, type JsonRecord } from "../graph/graph-api.ts";
import { type InteropVersion, newest } from "./versions.ts";

export type HeaderFields = Readonly<Record<string, string>>;

export interface Interim {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** One answer, wholly read, with the interim ones that came before it. */
export class IetfAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly interim: readonly Interim[];

  constructor(answer: Pick<IetfAnswer, "status" | "headers" | "body" | "interim">) {
    this.status = answer.status;
    this.headers = answer.headers;
    this.body = answer.body;
    this.interim = answer.interim;
  }

  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get location(): string {
    const location = this.header("location");
    if (location === undefined) throw new Error(`no Location: ${this.shown}`);
    return location;
  }

  get offset(): number {
    return Number(this.header("upload-offset") ?? Number.NaN);
  }

  /** The upload's name in Graph, as the answer's link has it. */
  get graphId(): string {
    const id = /\/(upload:[^&>]+)/.exec(this.header("link") ?? "")?.[1];
    if (id === undefined) throw new Error(`no link to Graph: ${this.shown}`);
    return id;
  }

  /** The members of Upload-Limit. */
  get limits(): ReadonlyMap<string, number> {
    const text = this.header("upload-limit") ?? "";
    const members = text.split(",").filter((member) => member.trim() !== "");
    return new Map(
      members.map((member) => {
        const [key = "", value = ""] = member.trim().split("=");
        return [key, Number(value)];
      }),
    );
  }

  get json(): JsonRecord {
    const parsed: unknown = JSON.parse(this.body.toString());
    if (!isRecord(parsed)) throw new Error(`no JSON object: ${this.shown}`);
    return parsed;
  }

  /** For the message of an expectation that fails. */
  get shown(): string {
    return `${this.status} ${JSON.stringify(this.headers)} ${this.body.toString()}`;
  }
}

export interface IetfRequest {
  readonly method: string;
  /** A whole URL, or one relative to where uploads are created. */
  readonly url: string;
  readonly headers?: HeaderFields;
  readonly body?: Uint8Array;
  /** Sent in chunks, so that no length is announced. */
  readonly chunked?: boolean;
}

export interface Part {
  /** Whether the content is the last of the upload. */
  readonly complete?: boolean;
  readonly bytes?: Uint8Array;
  /** Upload-Length. */
  readonly length?: number;
  readonly headers?: HeaderFields;
  readonly chunked?: boolean;
  readonly method?: string;
}

export interface IetfApiOptions {
  /** Where uploads are created. */
  readonly url: URL;
  /** Undefined for a server that wants none. */
  readonly token: string | undefined;
  readonly version: InteropVersion;
  /** Whether requests name the version; the newest rules hold where they do not. */
  readonly named: boolean;
}

/**
 * What the suite knows of the draft's requests, on node:http alone: it shares nothing with the
 * server's parser of fields, nor with a client library.
 */
export class IetfApi {
  readonly url: URL;
  readonly version: InteropVersion;
  readonly #token: string | undefined;
  readonly #named: boolean;

  constructor({ url, token, version, named }: IetfApiOptions) {
    this.url = url;
    this.version = version;
    this.#token = token;
    this.#named = named;
  }

  get authorization(): HeaderFields {
    return this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token}` };
  }

  /** The same server by the rules of another version. */
  at(version: InteropVersion): IetfApi {
    return new IetfApi({ url: this.url, token: this.#token, version, named: true });
  }

  as(token: string): IetfApi {
    return new IetfApi({ url: this.url, token, version: this.version, named: this.#named });
  }

  /** Without the field that names the version. */
  unnamed(): IetfApi {
    return new IetfApi({ url: this.url, token: this.#token, version: newest, named: false });
  }

  flag(complete: boolean): HeaderFields {
    const says = this.version.flag === "Upload-Complete" ? complete : !complete;
    return { [this.version.flag]: says ? "?1" : "?0" };
  }

  get interop(): HeaderFields {
    return this.#named ? { "Upload-Draft-Interop-Version": `${this.version.interop}` } : {};
  }

  get patchType(): HeaderFields {
    return this.version.patchType ? { "Content-Type": "application/partial-upload" } : {};
  }

  urlOf(url: string): URL {
    return new URL(url, this.url);
  }

  /** Nothing is added but what HTTP needs. */
  async request(request: IetfRequest): Promise<IetfAnswer> {
    const { method, headers = {}, body, chunked = false } = request;
    const url = this.urlOf(request.url);
    const length = chunked ? {} : { "Content-Length": `${body?.length ?? 0}` };
    const framing = chunked ? { "Transfer-Encoding": "chunked" } : length;
    const interim: Interim[] = [];
    const done = Promise.withResolvers<IetfAnswer>();
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    // A connection of its own: an early refusal closes it, which must not hit the next request.
    const outgoing = send(url, { method, headers: { ...framing, ...headers }, agent: false });
    outgoing.on("information", (information) => {
      interim.push({ status: information.statusCode, headers: information.headers });
    });
    outgoing.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", done.reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers: fields } = response;
        done.resolve(
          new IetfAnswer({ status, headers: fields, body: Buffer.concat(chunks), interim }),
        );
      });
    });
    outgoing.on("error", done.reject);
    outgoing.end(body);
    return await done.promise;
  }

  /** With the token and the version. */
  async authorized(request: IetfRequest): Promise<IetfAnswer> {
    const headers = { ...this.authorization, ...this.interop, ...request.headers };
    return await this.request({ ...request, headers });
  }

  /** Upload creation, of a PDF as far as its type goes. */
  async create(part: Part = {}): Promise<IetfAnswer> {
    const { complete = false, bytes, length, headers, chunked = false, method = "POST" } = part;
    return await this.authorized({
      method,
      url: this.url.href,
      headers: {
        "Content-Type": "application/pdf",
        ...this.flag(complete),
        ...(length === undefined ? {} : { "Upload-Length": `${length}` }),
        ...headers,
      },
      ...(bytes === undefined ? {} : { body: bytes }),
      chunked,
    });
  }

  /** The URL of a new upload without content. */
  async begun(part: Part = {}): Promise<string> {
    const answer = await this.create(part);
    if (answer.status >= 300) throw new Error(`creation: ${answer.shown}`);
    return answer.location;
  }

  /** Upload append. */
  async append(url: string, offset: number, part: Part = {}): Promise<IetfAnswer> {
    const { complete = false, bytes, length, headers, chunked = false, method = "PATCH" } = part;
    return await this.authorized({
      method,
      url,
      headers: {
        "Upload-Offset": `${offset}`,
        ...this.patchType,
        ...this.flag(complete),
        ...(length === undefined ? {} : { "Upload-Length": `${length}` }),
        ...headers,
      },
      ...(bytes === undefined ? {} : { body: bytes }),
      chunked,
    });
  }

  async head(url: string, headers: HeaderFields = {}): Promise<IetfAnswer> {
    return await this.authorized({ method: "HEAD", url, headers });
  }

  async get(url: string, headers: HeaderFields = {}): Promise<IetfAnswer> {
    return await this.authorized({ method: "GET", url, headers });
  }

  async delete(url: string, headers: HeaderFields = {}): Promise<IetfAnswer> {
    return await this.authorized({ method: "DELETE", url, headers });
  }

  async offset(url: string): Promise<number> {
    const answer = await this.head(url);
    if (answer.status >= 300) throw new Error(`offset: ${answer.shown}`);
    return answer.offset;
  }

  /** What the answer says of the upload's completeness; undefined when it does not say. */
  completeness(answer: Pick<IetfAnswer, "header">): boolean | undefined {
    const value = answer.header(this.version.flag);
    if (value === undefined) return undefined;
    return (value === "?1") === (this.version.flag === "Upload-Complete");
  }
}
