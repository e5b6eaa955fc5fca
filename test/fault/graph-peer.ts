import type { HeaderLine, RawAddress, RawResponse } from "../support/raw-http.ts";
import { RawConnection, rawRequest } from "../support/raw-http.ts";
import type { ServerProcess } from "../support/server-process.ts";

export interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Standing {
  readonly offset: number;
  /** Eight hexadecimal digits, over the bytes up to the offset. */
  readonly crc32: string;
}

export interface AppendHead {
  readonly id: string;
  readonly from: number;
  /** Bytes announced. */
  readonly length: number;
  /** Ask to be told when the body is wanted. */
  readonly expectsContinue?: boolean;
}

export interface Append {
  readonly id: string;
  readonly from: number;
  readonly bytes: Uint8Array;
  /** Another way to the server, as through a proxy. */
  readonly through?: RawAddress;
}

const writeLength = 256 * 1024;

/** A server, or what stands before several. */
export type Reachable = Pick<ServerProcess, "appId" | "port" | "token" | "url">;

/** Graph's requests by hand: what a test does with the server while it meets its faults. */
export class GraphPeer {
  readonly #server: Reachable;

  constructor(server: Reachable) {
    this.#server = server;
  }

  get address(): RawAddress {
    return { host: "127.0.0.1", port: this.#server.port };
  }

  create(length: number): Promise<Answer> {
    const query = `file_name=fault.pdf&file_length=${length}&file_type=application%2Fpdf`;
    return this.ask("POST", `${this.#server.appId}/uploads?${query}`);
  }

  /** Creates an upload and answers its id; an error when it was refused. */
  async createOrFail(length: number): Promise<string> {
    const { status, json } = await this.create(length);
    if (status !== 200) throw new Error(`create: ${status} ${JSON.stringify(json)}`);
    return String(json.id);
  }

  async standing(id: string): Promise<Standing> {
    const { status, json } = await this.ask("GET", `${id}&fields=crc32`);
    if (status !== 200) throw new Error(`status: ${status} ${JSON.stringify(json)}`);
    return { offset: Number(json.file_offset), crc32: String(json.crc32) };
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
  appendHead({ id, from, length, expectsContinue = false }: AppendHead): Buffer {
    const lines = [
      `POST /v21.0/${id} HTTP/1.1`,
      `Host: 127.0.0.1:${this.#server.port}`,
      `Authorization: OAuth ${this.#server.token}`,
      `file_offset: ${from}`,
      `Content-Length: ${length}`,
      ...(expectsContinue ? ["Expect: 100-continue"] : []),
    ];
    return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  }

  /** One append; undefined when the connection ended without a whole answer. */
  async append({ id, from, bytes, through }: Append): Promise<Answer | undefined> {
    using connection = await RawConnection.open(through ?? this.address);
    await connection.write(this.appendHead({ id, from, length: bytes.length }));
    await connection.writeWhileTaken(pieces(bytes), { untilAnswered: true });
    const response = await connection.readResponse({ timeoutMs: 60_000 });
    return response?.whole === true ? answerFrom(response) : undefined;
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
}

export function answerFrom({ status, body }: RawResponse): Answer {
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${body.toString()}`);
  return { status, json: { ...value } };
}

/** The offset that an answer tells, in a field or in Graph's words; undefined when it tells none. */
export function toldOffset({ json }: Answer): number | undefined {
  if (typeof json.file_offset === "number") return json.file_offset;
  const text = JSON.stringify(json.error ?? {});
  const told = /(\d+) bytes are stored|upload is at (\d+)|took this upload over at (\d+)/.exec(
    text,
  );
  const digits = told?.slice(1).find(Boolean);
  return digits === undefined ? undefined : Number(digits);
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let position = 0; position < bytes.length; position += writeLength) {
    yield bytes.subarray(position, position + writeLength);
  }
}
