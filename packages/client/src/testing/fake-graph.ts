import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** What a fault may look at and break. */
export interface FaultScene {
  readonly fake: FakeGraph;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Deals with one request in the server's place; false lets the server answer after all. */
export type Fault = (scene: FaultScene) => boolean | Promise<boolean>;

/**
 * A small real HTTP server that keeps one upload in memory and can be told to misbehave: each fault
 * is used once, by the next request of its method.
 */
export class FakeGraph implements AsyncDisposable {
  readonly id = "upload:MTphdHRhY2htZW50/+==?sig=ARabc";
  readonly handle = "4:bmFtZQ==:aW1hZ2U=:AR1\n4:bmFtZQ==:aW1hZ2U=:AR2";
  readonly token = "good-token";
  /** `METHOD path` of every request, with `@offset` for appends. */
  readonly requests: string[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  readonly startFaults: Fault[] = [];
  readonly askFaults: Fault[] = [];
  readonly appendFaults: Fault[] = [];
  /** Whether GET answers Hawser's extra fields. */
  givesCrc = true;
  length = 0;
  starts = 0;
  readonly #server: Server;
  #parts: Buffer[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch(() => {
        response.destroy();
      });
    });
  }

  /** What the upload holds so far. */
  get kept(): Buffer {
    const kept = Buffer.concat(this.#parts);
    this.#parts = [kept];
    return kept;
  }

  set kept(bytes: Buffer) {
    this.#parts = [bytes];
  }

  add(part: Buffer): void {
    this.#parts.push(part);
  }

  static async listen(): Promise<FakeGraph> {
    const fake = new FakeGraph();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    // `as` because a listening TCP server has no other kind of address.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Reads the body into what is kept, at most `most` bytes of it. */
  async keep(request: IncomingMessage, most = Infinity): Promise<void> {
    let taken = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, most - taken);
      taken += part.length;
      this.add(part);
      if (taken >= most) return;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "";
    const offset = request.headers.file_offset;
    const at = typeof offset === "string" ? `@${offset}` : "";
    this.requests.push(`${request.method ?? ""} ${url}${at}`);
    this.headers.push(request.headers);
    const [faults, handler] = this.#route(request.method, url);
    if (await faults.shift()?.({ fake: this, request, response })) return;
    await handler(request, response);
  }

  #route(
    method = "",
    url: string,
  ): [Fault[], (...at: [IncomingMessage, ServerResponse]) => unknown] {
    if (url.includes("/uploads?")) return [this.startFaults, this.#start];
    if (!url.startsWith(`/v21.0/${this.id}`)) return [[], this.#missing];
    if (method === "GET") return [this.askFaults, this.#ask];
    return method === "POST" ? [this.appendFaults, this.#append] : [[], this.#cancel];
  }

  readonly #start = (request: IncomingMessage, response: ServerResponse): void => {
    this.starts += 1;
    this.kept = Buffer.alloc(0);
    this.length = Number(new URL(request.url ?? "", this.url).searchParams.get("file_length"));
    json(response, 200, { id: this.id });
  };

  readonly #ask = (request: IncomingMessage, response: ServerResponse): void => {
    const extra = this.givesCrc && request.url?.includes("&fields=") === true;
    const crc = crc32(this.kept).toString(16).padStart(8, "0");
    const more = extra ? { file_length: this.length, crc32: crc } : {};
    json(response, 200, { id: this.id, file_offset: this.kept.length, ...more });
  };

  readonly #append = async (request: IncomingMessage, response: ServerResponse) => {
    if (Number(request.headers.file_offset) !== this.kept.length) {
      refuse(response, 412, { type: "OffsetInvalidError", retriable: true });
      return;
    }
    await this.keep(request);
    if (this.kept.length === this.length) json(response, 200, { h: this.handle });
    else json(response, 200, { id: this.id, file_offset: this.kept.length });
  };

  readonly #cancel = (_: IncomingMessage, response: ServerResponse): void => {
    json(response, 200, { success: true });
  };

  readonly #missing = (_: IncomingMessage, response: ServerResponse): void => {
    const error = { message: "no such node", type: "GraphMethodException", code: 100 };
    json(response, 404, { error: { ...error, error_subcode: 33 } });
  };
}

export function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Answers with the upload service's own envelope alone. */
export function refuse(response: ServerResponse, status: number, debug: object): void {
  json(response, status, { debug_info: { message: "no", retriable: false, ...debug } });
}

/** Keeps so many bytes of the body, then cuts the connection. */
export function cutAfter(bytes: number): Fault {
  return async ({ fake, request }) => {
    await fake.keep(request, bytes);
    request.socket.destroy();
    return true;
  };
}

/** Keeps so many bytes of the body, then reads no more and says nothing. */
export function stallAfter(bytes: number): Fault {
  return async ({ fake, request }) => {
    const { socket } = request;
    let taken = 0;
    await new Promise<void>((resolve) => {
      request.on("data", (chunk: Buffer) => {
        const part = chunk.subarray(0, bytes - taken);
        taken += part.length;
        fake.add(part);
        if (taken < bytes) return;
        request.pause();
        request.removeAllListeners("data");
        socket.pause();
        resolve();
      });
    });
    return true;
  };
}

/** Answers with a refusal at once, whatever is sent. */
export function answering(status: number, body: object, headers: object = {}): Fault {
  return ({ response }) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
    return true;
  };
}
