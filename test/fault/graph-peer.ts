import { type Answer, answerFrom, answerIn } from "../support/dialect-answer.ts";
import {
  appendRequest,
  authorizationOf,
  creationRequest,
  type Dialect,
  headBytes,
  statusRequest,
  type WireClient,
} from "../support/dialect-wire.ts";
import {
  type HeaderLine,
  headerValue,
  type RawAddress,
  type RawRequestHead,
  type RawResponse,
} from "../support/raw-http.ts";
import { RawConnection, rawRequest } from "../support/raw-http.ts";
import type { ServerProcess } from "../support/server-process.ts";

export interface Standing {
  readonly offset: number;
  /** Eight hexadecimal digits, over the bytes up to the offset. */
  readonly crc32: string;
}

/** What an append is to mean, beside where it begins. */
export interface AppendWords {
  readonly id: string;
  /** Graph's when left out. */
  readonly dialect?: Dialect;
  /** Whether it ends with the upload's last byte; it does not when left out. */
  readonly isLast?: boolean;
}

export interface AppendHead extends AppendWords {
  readonly from: number;
  /** Bytes announced. */
  readonly length: number;
  /** The whole length, where it was not known before. */
  readonly uploadLength?: number | undefined;
  /** Ask to be told when the body is wanted. */
  readonly expectsContinue?: boolean;
}

export interface Append extends Omit<AppendHead, "length" | "expectsContinue"> {
  readonly bytes: Uint8Array;
  /** Another way to the server, as through a proxy. */
  readonly through?: RawAddress | undefined;
}

const writeLength = 256 * 1024;

/** A server, or what stands before several. */
export type Reachable = Pick<ServerProcess, "appId" | "port" | "token" | "url">;

/**
 * Requests by hand: what a test does with the server while it meets its faults. Creations, appends
 * and questions in each dialect, all else as Graph has it.
 */
export class GraphPeer {
  readonly #server: Reachable;

  constructor(server: Reachable) {
    this.#server = server;
  }

  get address(): RawAddress {
    return { host: "127.0.0.1", port: this.#server.port };
  }

  get #client(): WireClient {
    const { appId, token } = this.#server;
    return { ...this.address, appId, token };
  }

  /** Without a length it is not known yet, which Graph has no word for. */
  async create(length: number | undefined, dialect: Dialect = "graph"): Promise<Answer> {
    const head = creationRequest({ dialect, length }, this.#server.appId);
    return answerIn(dialect, await this.#send(dialect, head));
  }

  /** Creates an upload and answers Graph's id of it; an error when it was refused. */
  async createOrFail(length: number | undefined, dialect?: Dialect): Promise<string> {
    const { status, json } = await this.create(length, dialect);
    if (status !== 200) throw new Error(`create: ${status} ${JSON.stringify(json)}`);
    return String(json.id);
  }

  async standing(id: string): Promise<Standing> {
    const { status, json } = await this.ask("GET", `${id}&fields=crc32`);
    if (status !== 200) throw new Error(`status: ${status} ${JSON.stringify(json)}`);
    return { offset: Number(json.file_offset), crc32: String(json.crc32) };
  }

  /** The offset as a dialect tells it to who means to go on. */
  async offset(id: string, dialect: Dialect): Promise<number> {
    const response = await this.#send(dialect, statusRequest(dialect, id));
    const told =
      dialect === "graph"
        ? answerFrom(response).json.file_offset
        : headerValue(response, "upload-offset");
    if (response.status < 300 && told !== undefined) return Number(told);
    throw new Error(`offset by ${dialect}: ${response.status} ${response.body.toString()}`);
  }

  /** The handle of a complete upload; undefined while it is not. */
  async handle(id: string): Promise<string | undefined> {
    const { status, json } = await this.ask("GET", `${id}&fields=h`);
    if (status !== 200) throw new Error(`status: ${status} ${JSON.stringify(json)}`);
    return typeof json.h === "string" ? json.h : undefined;
  }

  cancel(id: string): Promise<Answer> {
    return this.ask("DELETE", id);
  }

  /** The bytes of a complete upload, as a reader gets them. */
  async download(handle: string): Promise<Buffer> {
    const form = `handle=${encodeURIComponent(handle)}`;
    const { status, json } = await this.ask("POST", `${this.#server.appId}/files`, form);
    if (status !== 200) throw new Error(`publish: ${status} ${JSON.stringify(json)}`);
    const response = await fetch(`${this.#server.url}/v21.0/${String(json.id)}/content`, {
      headers: { Authorization: `OAuth ${this.#server.token}` },
    });
    if (response.status !== 200) throw new Error(`content: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** One append's head as it goes over the wire, so that a cut can be placed within it. */
  appendHead({ dialect = "graph", isLast = false, ...head }: AppendHead): Buffer {
    return headBytes(this.#client, dialect, appendRequest({ ...head, dialect, isLast }));
  }

  /** One append; undefined when the connection ended without a whole answer. */
  async append({ bytes, through, ...words }: Append): Promise<Answer | undefined> {
    using connection = await RawConnection.open(through ?? this.address);
    await connection.write(this.appendHead({ ...words, length: bytes.length }));
    await connection.writeWhileTaken(pieces(bytes), { untilAnswered: true });
    const response = await connection.readResponse({ timeoutMs: 60_000 });
    return response?.whole === true ? await this.answered(words, response) : undefined;
  }

  /** What an append was answered, with the handle if it was the last. */
  async answered(words: AppendWords, response: RawResponse): Promise<Answer> {
    return await this.withHandle(words, answerIn(words.dialect ?? "graph", response));
  }

  /** The handle is asked for where the dialect of an append does not tell it. */
  async withHandle(
    { id, dialect = "graph", isLast = false }: AppendWords,
    answer: Answer,
  ): Promise<Answer> {
    const isTold = dialect === "graph" || typeof answer.json.h === "string";
    if (answer.status !== 200 || !isLast || isTold) return answer;
    const handle = await this.handle(id);
    return handle === undefined ? answer : { status: 200, json: { ...answer.json, h: handle } };
  }

  async ask(method: string, path: string, form = ""): Promise<Answer> {
    const headers: HeaderLine[] = [["Authorization", `OAuth ${this.#server.token}`]];
    if (method === "POST") {
      headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
      headers.push(["Content-Length", `${Buffer.byteLength(form)}`]);
    }
    const head = { method, path: `/v21.0/${path}`, headers };
    return answerFrom(await rawRequest(this.address, head, form));
  }

  async #send(dialect: Dialect, head: RawRequestHead): Promise<RawResponse> {
    const authorization = authorizationOf(dialect, this.#server.token);
    const headers = [authorization, ...(head.headers ?? [])];
    return await rawRequest(this.address, { ...head, headers });
  }
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let position = 0; position < bytes.length; position += writeLength) {
    yield bytes.subarray(position, position + writeLength);
  }
}
