import { asUploadError, UploadError } from "../errors.ts";
import type { TransportBody } from "../transports/transport.ts";
import type { Json } from "./answer.ts";
import { excerpt, readCount, readText } from "./answer.ts";
import type {
  AppDialect,
  AppendOutcome,
  DialectClient,
  DialectParts,
  FileAbout,
  Standing,
  UploadFacts,
} from "./dialect.ts";
import { callGraph } from "./graph-wire.ts";

/** A part to send in Graph, where the length of the whole need not be told again. */
export interface GraphAppend {
  readonly id: string;
  /** Where the body begins; bytes. */
  readonly offset: number;
  readonly body: TransportBody;
  readonly onSent?: ((sent: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The routes an upload needs. */
export class GraphUploads implements DialectClient {
  readonly #parts: DialectParts;

  constructor(parts: DialectParts) {
    this.#parts = parts;
  }

  /** `POST /{app}/uploads`; the id of a new upload. */
  async start({ name, length, type }: UploadFacts, signal?: AbortSignal): Promise<string> {
    const query = `file_name=${encodeURIComponent(name)}&file_length=${length}`;
    const path = `${this.#parts.connection.appId}/uploads?${query}&file_type=${encodeURIComponent(type)}`;
    return readId(await callGraph(this.#parts, { method: "POST", path, signal }));
  }

  /** `POST /upload:{id}` with the bytes from `offset` on. */
  async append({ id, offset, body, onSent, signal }: GraphAppend): Promise<AppendOutcome> {
    const answer = await callGraph(this.#parts, {
      method: "POST",
      path: id,
      headers: { file_offset: String(offset), "content-type": "application/octet-stream" },
      ...{ body, onSent, signal },
    });
    // A handle may have many lines; it is one text all the same.
    const handle = readText(answer, "h");
    if (handle !== undefined) return { kind: "complete", handle };
    return { kind: "open", offset: readCount(answer, "file_offset") };
  }

  /** `GET /upload:{id}` with those of Hawser's fields that show whether the file is the same. */
  async ask(id: string, signal?: AbortSignal): Promise<Standing> {
    const fields = `${id.includes("?") ? "&" : "?"}fields=file_length%2Cstatus%2Ccrc32`;
    try {
      return await this.#stand(id + fields, signal);
    } catch (error) {
      // A service that knows no such fields may refuse them; the offset alone it must know.
      if (asUploadError(error).facts.status !== 400) throw error;
      return this.#stand(id, signal);
    }
  }

  /** `DELETE /upload:{id}`: gives an upload up (Hawser only). */
  async cancel(id: string, signal?: AbortSignal): Promise<void> {
    await callGraph(this.#parts, { method: "DELETE", path: id, signal });
  }

  /** `POST /{app}/files`: makes a file of a handle (Hawser only). The file's id. */
  async publish(handle: string, about: FileAbout = {}, signal?: AbortSignal): Promise<string> {
    const { name, description } = about;
    const answer = await callGraph(this.#parts, {
      method: "POST",
      path: `${this.#parts.connection.appId}/files`,
      headers: { "content-type": "application/json" },
      body: jsonBody({ handle, name, description }),
      signal,
    });
    return readId(answer);
  }

  async #stand(path: string, signal: AbortSignal | undefined): Promise<Standing> {
    const answer = await callGraph(this.#parts, { method: "GET", path, signal });
    return {
      offset: readOffset(answer),
      length: readCount(answer, "file_length"),
      crc32: readText(answer, "crc32")?.toLowerCase(),
      status: readText(answer, "status"),
    };
  }
}

/** Meta's Resumable Upload API: what uploads speak unless told otherwise. */
export const graph: AppDialect = {
  name: "graph",
  needsApp: true,
  connect: (parts) => new GraphUploads(parts),
};

/** Where an upload stands; `bad-answer` when the answer does not say it. */
export function readOffset(answer: Json): number {
  return readCount(answer, "file_offset") ?? lacks("file_offset", answer);
}

function readId(answer: Json): string {
  const id = readText(answer, "id") ?? "";
  // It is pasted into request lines later on: nothing but visible ASCII may be in it.
  return /^[\x21-\x7e]+$/.test(id) ? id : lacks("id", answer);
}

function lacks(field: string, answer: Json): never {
  const told = excerpt(JSON.stringify(answer));
  throw new UploadError("bad-answer", `the answer names no ${field}: ${told}`);
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
