import { UploadError } from "../errors.ts";
import type { Transport, TransportBody, TransportDownload } from "../transports/transport.ts";
import type { AppendOutcome, FileAbout, UploadFacts } from "./dialect.ts";
import type { Json } from "./graph-answer.ts";
import { isJson, readCount, readText } from "./graph-answer.ts";
import type { GraphPage, PublishedFile, UploadRecord } from "./graph-records.ts";
import { readFile, readPage, readUpload } from "./graph-records.ts";
import type { GraphConnection } from "./graph-wire.ts";
import { GraphWire } from "./graph-wire.ts";

/** A connection and the app on whose behalf it calls. */
export interface GraphClientOptions extends GraphConnection {
  /** Digits, or `app` for the token's own. */
  readonly appId: string;
}

export interface GraphAppend {
  readonly id: string;
  /** Where the body begins; bytes. */
  readonly offset: number;
  readonly body: TransportBody;
  readonly onSent?: ((sent: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What part of a list to answer. */
export interface ListOptions {
  /** Entries at most. */
  readonly limit?: number | undefined;
  /** The cursor a page ended with. */
  readonly after?: string | undefined;
  /** Uploads only: such as `open` or `complete`. */
  readonly status?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DownloadOptions {
  /** First byte wanted. */
  readonly from?: number | undefined;
  /** Answer the rest only if the file is still this one, else the whole file with status 200. */
  readonly ifRange?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The Graph routes one by one. Every method is one request (two when a token callback renews a
 * refused token), nothing is tried again, and every failure is an `UploadError`.
 */
export class GraphClient {
  readonly #app: string;
  readonly #wire: GraphWire;

  constructor(options: GraphClientOptions, transport: Transport) {
    this.#app = options.appId;
    this.#wire = new GraphWire(options, transport);
  }

  /** `POST /{app}/uploads`; the id of a new upload. */
  async start(facts: UploadFacts, signal?: AbortSignal): Promise<string> {
    const body = await this.#wire.call({
      method: "POST",
      path: `${this.#app}/uploads`,
      query: { file_name: facts.name, file_length: String(facts.length), file_type: facts.type },
      signal: signal ?? neverAborted,
    });
    return readId(body);
  }

  /** `POST /upload:{id}` with the bytes from `offset` on. */
  async append(append: GraphAppend): Promise<AppendOutcome> {
    const body = await this.#wire.call({
      method: "POST",
      path: append.id,
      headers: { file_offset: String(append.offset), "content-type": "application/octet-stream" },
      body: append.body,
      onSent: append.onSent,
      signal: append.signal ?? neverAborted,
    });
    // A handle may have many lines; it is one text all the same.
    const handle = readText(body, "h");
    if (handle !== undefined) return { kind: "complete", handle };
    return { kind: "open", offset: readCount(body, "file_offset") };
  }

  /** `GET /upload:{id}`; `fields` are Hawser's extra ones, see `UploadRecord`. */
  async status(
    id: string,
    fields: readonly string[] = [],
    signal?: AbortSignal,
  ): Promise<UploadRecord & { readonly offset: number }> {
    const body = await this.#wire.call({
      method: "GET",
      path: id,
      query: { fields: fields.length === 0 ? undefined : fields.join(",") },
      signal: signal ?? neverAborted,
    });
    const upload = readUpload({ id, ...body });
    if (upload.offset === undefined) {
      throw new UploadError("bad-answer", `the answer names no file_offset: ${excerpt(body)}`);
    }
    return { ...upload, offset: upload.offset };
  }

  /** `DELETE /upload:{id}`: gives an upload up (Hawser only). */
  async cancel(id: string, signal?: AbortSignal): Promise<void> {
    await this.#wire.call({ method: "DELETE", path: id, signal: signal ?? neverAborted });
  }

  /** `GET /{app}/uploads`: a page of the app's uploads (Hawser only). */
  async listUploads(options: ListOptions = {}): Promise<GraphPage<UploadRecord>> {
    return readPage(await this.#list("uploads", options), readUpload);
  }

  /** `POST /{app}/files`: makes a file of a handle (Hawser only). The file's id. */
  async publish(handle: string, about: FileAbout = {}, signal?: AbortSignal): Promise<string> {
    if (/^\d+$/.test(handle)) {
      throw new UploadError("invalid-option", `"${handle}" is a media or file id, not a handle`, {
        hint: "A handle is the text the upload ended with; it begins like 4:… or 2:….",
      });
    }
    const body = await this.#wire.call({
      method: "POST",
      path: `${this.#app}/files`,
      json: { handle, name: about.name, description: about.description },
      signal: signal ?? neverAborted,
    });
    return readId(body);
  }

  /**
   * `GET /{file}`: what is known of a published file (Hawser only). No fields are named: to be
   * asked for the SHA-256 has a server read the whole file before it answers.
   */
  async file(fileId: string, signal?: AbortSignal): Promise<PublishedFile> {
    const path = filePath(fileId);
    return readFile(await this.#wire.call({ method: "GET", path, signal: signal ?? neverAborted }));
  }

  /** `GET /{app}/files`: a page of the app's published files (Hawser only). */
  async listFiles(options: ListOptions = {}): Promise<GraphPage<PublishedFile>> {
    return readPage(await this.#list("files", options), readFile);
  }

  /** `DELETE /{file}` (Hawser only). */
  async deleteFile(fileId: string, signal?: AbortSignal): Promise<void> {
    const path = filePath(fileId);
    await this.#wire.call({ method: "DELETE", path, signal: signal ?? neverAborted });
  }

  /** `GET /{file}/content`: the bytes, status 200 for all of them or 206 for the rest. */
  async download(fileId: string, options: DownloadOptions = {}): Promise<TransportDownload> {
    const headers: Record<string, string> = {};
    if (options.from !== undefined && options.from > 0) {
      headers.range = `bytes=${options.from}-`;
      if (options.ifRange !== undefined) headers["if-range"] = options.ifRange;
    }
    const path = `${filePath(fileId)}/content`;
    return this.#wire.download({
      method: "GET",
      path,
      headers,
      signal: options.signal ?? neverAborted,
    });
  }

  async #list(edge: "uploads" | "files", options: ListOptions): Promise<Json> {
    const { limit, after, status } = options;
    return this.#wire.call({
      method: "GET",
      path: `${this.#app}/${edge}`,
      query: { status, limit: limit === undefined ? undefined : String(limit), after },
      signal: options.signal ?? neverAborted,
    });
  }
}

const neverAborted = new AbortController().signal;

/** A file id goes into the path, so it must not be able to lead elsewhere. */
function filePath(fileId: string): string {
  if (/^[\w-]+$/.test(fileId)) return fileId;
  throw new UploadError("invalid-option", `"${fileId}" is not a file id`, {
    hint: "A file id is what publishing answered; list them to find it.",
  });
}

function readId(body: Json): string {
  const id = readText(body, "id");
  // It is pasted into request lines later on: nothing but visible ASCII may be in it.
  if (id !== undefined && /^[\x21-\x7e]+$/.test(id)) return id;
  throw new UploadError("bad-answer", `the answer names no id: ${excerpt(body)}`);
}

function excerpt(body: Json): string {
  const inner = isJson(body.error) ? body.error : body;
  return JSON.stringify(inner).slice(0, 120);
}
