import { UploadError } from "../errors.ts";
import type { DownloadTransport, Transport, TransportDownload } from "../transports/transport.ts";
import type { Json } from "./answer.ts";
import { isSuccess } from "./answer.ts";
import type { AppendOutcome, DialectParts, FileAbout } from "./dialect.ts";
import { readRefusal } from "./graph-answer.ts";
import type { GraphPage, PublishedFile, UploadRecord } from "./graph-records.ts";
import { readFile, readPage, readUpload } from "./graph-records.ts";
import { callGraph, exchangeGraph } from "./graph-wire.ts";
import type { GraphAppend } from "./graph.ts";
import { GraphUploads, readOffset } from "./graph.ts";

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

/** From which byte on to answer a published file, and on what condition; all of it unless given. */
export interface DownloadOptions {
  /** First byte wanted. */
  readonly from?: number | undefined;
  /** Answer the rest only if the file is still this one, else the whole file with status 200. */
  readonly ifRange?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface GraphClientParts extends DialectParts {
  readonly transport: Transport & DownloadTransport;
}

/**
 * The Graph routes one by one. Every method is one request (two when a token callback renews a
 * refused token, or a server does not know the fields that `ask` asks for), nothing is tried again,
 * and every failure is an `UploadError`.
 */
export class GraphClient extends GraphUploads {
  readonly #parts: GraphClientParts;

  constructor(parts: GraphClientParts) {
    super(parts);
    this.#parts = parts;
  }

  /** `GET /upload:{id}`; `fields` are Hawser's extra ones, see `UploadRecord`. */
  async status(
    id: string,
    fields: readonly string[] = [],
    signal?: AbortSignal,
  ): Promise<UploadRecord & { readonly offset: number }> {
    const wanted = fields.length === 0 ? undefined : fields.join(",");
    const path = withQuery(id, { fields: wanted });
    const body = await explaining(callGraph(this.#parts, { method: "GET", path, signal }));
    return { ...readUpload({ id, ...body }), offset: readOffset(body) };
  }

  override async append(append: GraphAppend): Promise<AppendOutcome> {
    return explaining(super.append(append));
  }

  override async cancel(id: string, signal?: AbortSignal): Promise<void> {
    await explaining(super.cancel(id, signal));
  }

  /** `GET /{app}/uploads`: a page of the app's uploads (Hawser only). */
  async listUploads(options: ListOptions = {}): Promise<GraphPage<UploadRecord>> {
    return readPage(await this.#list("uploads", options), readUpload);
  }

  /** `POST /{app}/files`: makes a file of a handle (Hawser only). The file's id. */
  override async publish(handle: string, about?: FileAbout, signal?: AbortSignal): Promise<string> {
    if (/^\d+$/.test(handle)) {
      throw new UploadError("invalid-option", `"${handle}" is a media or file id, not a handle`, {
        hint: "A handle is the text the upload ended with; it begins like 4:… or 2:….",
      });
    }
    return explaining(super.publish(handle, about, signal));
  }

  /**
   * `GET /{file}`: what is known of a published file (Hawser only). No fields are named: to be
   * asked for the SHA-256 has a server read the whole file before it answers.
   */
  async file(fileId: string, signal?: AbortSignal): Promise<PublishedFile> {
    const path = filePath(fileId);
    return readFile(await callGraph(this.#parts, { method: "GET", path, signal }));
  }

  /** `GET /{app}/files`: a page of the app's published files (Hawser only). */
  async listFiles(options: ListOptions = {}): Promise<GraphPage<PublishedFile>> {
    return readPage(await this.#list("files", options), readFile);
  }

  /** `DELETE /{file}` (Hawser only). */
  async deleteFile(fileId: string, signal?: AbortSignal): Promise<void> {
    await callGraph(this.#parts, { method: "DELETE", path: filePath(fileId), signal });
  }

  /** `GET /{file}/content`: the bytes, status 200 for all of them or 206 for the rest. */
  async download(fileId: string, options: DownloadOptions = {}): Promise<TransportDownload> {
    const { from = 0, ifRange, signal } = options;
    const headers: Record<string, string> = {};
    if (from > 0) {
      headers.range = `bytes=${from}-`;
      if (ifRange !== undefined) headers["if-range"] = ifRange;
    }
    const path = `${filePath(fileId)}/content`;
    const call = { method: "GET", path, headers, signal } as const;
    return exchangeGraph(this.#parts, call, async (request) => {
      const download = await this.#parts.transport.receive(request);
      if (isSuccess(download.status)) return download;
      throw readRefusal({ ...download, text: await collect(download.body) });
    });
  }

  #list(edge: "uploads" | "files", options: ListOptions): Promise<Json> {
    const { limit, after, status, signal } = options;
    const query = { status, limit: limit === undefined ? undefined : String(limit), after };
    const path = withQuery(`${this.#parts.connection.appId}/${edge}`, query);
    return callGraph(this.#parts, { method: "GET", path, signal });
  }
}

/** An upload's own id and handle are whole; those that were handed around may not be. */
async function explaining<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof UploadError)) throw error;
    const hint = hintForCopied(error);
    throw hint === undefined ? error : error.with({ hint });
  }
}

function hintForCopied({ code, message }: UploadError): string | undefined {
  if (/hmac check failed/i.test(message)) {
    return "Use the upload id exactly as it was given, with its ?sig= part.";
  }
  if (code !== "handle-invalid") return undefined;
  return (
    "A handle is the whole text the upload ended with, newlines and all. It expires after some " +
    "days and works for its own app only; a media id is not a handle."
  );
}

/** A file id goes into the path, so it must not be able to lead elsewhere. */
function filePath(fileId: string): string {
  if (/^[\w-]+$/.test(fileId)) return fileId;
  throw new UploadError("invalid-option", `"${fileId}" is not a file id`, {
    hint: "A file id is what publishing answered; list them to find it.",
  });
}

/** Put behind `?`, or behind `&` when the path already holds a `?`, as ids do. */
function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  if (pairs.length === 0) return path;
  return `${path}${path.includes("?") ? "&" : "?"}${pairs.join("&")}`;
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
