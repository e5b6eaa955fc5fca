import { setTimeout as sleep } from "node:timers/promises";

import { type Answer, answerIn } from "../support/dialect-answer.ts";
import {
  appendRequest,
  authorizationOf,
  creationRequest,
  type Dialect,
} from "../support/dialect-wire.ts";
import { type HeaderLine, RawConnection, type RawRequestHead } from "../support/raw-http.ts";
import type { ServerProcess } from "../support/server-process.ts";

const chunkBytes = 256 * 1024;

/** The connection ended before an answer came: all that a client sees of a crash. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
}

/** An answer that is no success; its status as Graph would have it. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly status: number;

  constructor(status: number, text: string) {
    const said = /"message":"([^"]*)"/.exec(text)?.[1];
    super(`${status} ${said ?? text}`);
    this.status = status;
  }
}

type Told = Answer["json"];

export interface Append {
  readonly dialect: Dialect;
  readonly id: string;
  readonly offset: number;
  readonly bytes: Buffer;
  /** Whether it ends with the upload's last byte. */
  readonly isLast: boolean;
  /** Let the connection go after this many bytes. */
  readonly cutAfterBytes?: number;
}

/** What an append was answered; a cut one is answered nothing. Not every dialect tells a handle. */
export interface Appended {
  readonly offset: number | undefined;
  readonly handle: string | undefined;
}

export const unanswered: Appended = { offset: undefined, handle: undefined };

export interface Standing {
  readonly offset: number;
  readonly crc32: unknown;
}

/** The requests of a careful client in any dialect, each on a connection of its own. */
export class UploadClient {
  readonly #server: ServerProcess;
  /** The server of the moment: after a crash there is a new one, at another port. */
  readonly #address: { readonly host: string; readonly port: number };

  constructor(server: ServerProcess) {
    this.#server = server;
    this.#address = { host: "127.0.0.1", port: server.port };
  }

  /** Answers Graph's id of it, whatever it was created by. */
  async create(length: number, dialect: Dialect): Promise<string> {
    const head = creationRequest({ dialect, length }, this.#server.appId);
    using connection = await this.#send(head, dialect);
    return String((await answerOf(connection, dialect)).id);
  }

  async append(append: Append): Promise<Appended> {
    const { dialect, id, offset, bytes, isLast, cutAfterBytes } = append;
    const words = { dialect, id, from: offset, length: bytes.length, isLast };
    using connection = await this.#send(appendRequest(words), dialect);
    const sent = cutAfterBytes === undefined ? bytes : bytes.subarray(0, cutAfterBytes);
    await connection.writeWhileTaken(chunksOf(sent), { untilAnswered: true });
    if (cutAfterBytes !== undefined) {
      // Time for what is on its way to be taken in, else a reset would throw it away.
      await sleep(5);
      return unanswered;
    }
    const { h, file_offset: reached } = await answerOf(connection, dialect);
    if (typeof h === "string") return { offset: undefined, handle: h };
    return { offset: Number(reached), handle: undefined };
  }

  /** For who was not told it with the last byte. */
  async handle(id: string): Promise<string> {
    using connection = await this.#send({ method: "GET", path: `/v21.0/${id}&fields=h` });
    const { h } = await answerOf(connection);
    if (typeof h !== "string") throw new Error("all bytes were taken, and there is no handle");
    return h;
  }

  async standing(id: string): Promise<Standing> {
    using connection = await this.#send({ method: "GET", path: `/v21.0/${id}&fields=crc32` });
    const { file_offset: offset, crc32 } = await answerOf(connection);
    return { offset: Number(offset), crc32 };
  }

  /** Answers the file's id; the same one whenever the same handle is published. */
  async publish(handle: string): Promise<string> {
    const form = `handle=${encodeURIComponent(handle)}`;
    return String((await this.#post(`${this.#server.appId}/files`, form)).id);
  }

  async download(fileId: string): Promise<Buffer> {
    const response = await fetch(`${this.#server.url}/v21.0/${fileId}/content`, {
      headers: { Authorization: `OAuth ${this.#server.token}` },
    });
    if (response.status !== 200) throw new RefusedError(response.status, await response.text());
    return Buffer.from(await response.arrayBuffer());
  }

  async #post(path: string, body = ""): Promise<Told> {
    const headers: HeaderLine[] = [
      ["Content-Type", "application/x-www-form-urlencoded"],
      ["Content-Length", `${Buffer.byteLength(body)}`],
    ];
    using connection = await this.#send({ method: "POST", path: `/v21.0/${path}`, headers });
    if (body.length > 0) await connection.write(body);
    return await answerOf(connection);
  }

  async #send(head: RawRequestHead, dialect: Dialect = "graph"): Promise<RawConnection> {
    const connection = await RawConnection.open(this.#address).catch((error: unknown) => {
      throw new ConnectionLostError("no connection", { cause: error });
    });
    const token = authorizationOf(dialect, this.#server.token);
    await connection.sendHead({ ...head, headers: [token, ...(head.headers ?? [])] });
    return connection;
  }
}

async function answerOf(connection: RawConnection, dialect: Dialect = "graph"): Promise<Told> {
  const response = await connection.readResponse({ timeoutMs: 60_000 });
  if (response?.whole !== true) throw new ConnectionLostError("no answer");
  const { status, json } = answerIn(dialect, response);
  if (status !== 200) throw new RefusedError(status, response.body.toString());
  return json;
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
