import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json, refuse } from "./fake-graph.ts";

interface Kept {
  readonly length: number;
  readonly name: string;
  bytes: Buffer;
}

/** A small real HTTP server that keeps any number of uploads in memory. */
export class ManyGraph implements AsyncDisposable {
  readonly uploads = new Map<string, Kept>();
  /** Names of the uploads in the order in which they were started. */
  readonly started: string[] = [];
  /** While set, appends keep what they bring and are not answered. */
  held = false;
  /** Tokens that are refused. */
  readonly refused = new Set<string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch(() => {
        response.destroy();
      });
    });
  }

  static async listen(): Promise<ManyGraph> {
    const graph = new ManyGraph();
    graph.#server.listen(0, "127.0.0.1");
    await once(graph.#server, "listening");
    return graph;
  }

  get url(): string {
    // `as` because a listening TCP server has no other kind of address.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Uploads that have all their bytes. */
  get complete(): Kept[] {
    return [...this.uploads.values()].filter(({ bytes, length }) => bytes.length === length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.refused.has(request.headers.authorization?.slice("OAuth ".length) ?? "")) {
      request.resume();
      refuse(response, 401, { type: "NotAuthorizedError" });
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? "", this.url);
    if (pathname.endsWith("/uploads")) {
      const id = `upload:${this.uploads.size}`;
      const name = searchParams.get("file_name") ?? "";
      const length = Number(searchParams.get("file_length"));
      this.uploads.set(id, { length, name, bytes: Buffer.alloc(0) });
      this.started.push(name);
      json(response, 200, { id });
      return;
    }
    const id = /upload:\d+/.exec(pathname)?.[0] ?? "";
    const kept = this.uploads.get(id);
    if (kept === undefined) refuse(response, 404, {});
    else if (request.method === "GET") json(response, 200, { id, file_offset: kept.bytes.length });
    else if (request.method === "POST") await this.#append(kept, request, response);
    else json(response, 200, { success: this.uploads.delete(id) });
  }

  async #append(kept: Kept, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (Number(request.headers.file_offset) !== kept.bytes.length) {
      refuse(response, 412, { type: "OffsetInvalidError", retriable: true });
      return;
    }
    for await (const chunk of request as AsyncIterable<Buffer>) {
      kept.bytes = Buffer.concat([kept.bytes, chunk]);
    }
    if (this.held) return;
    if (kept.bytes.length === kept.length) json(response, 200, { h: `4:${kept.name}` });
    else json(response, 200, { file_offset: kept.bytes.length });
  }
}
