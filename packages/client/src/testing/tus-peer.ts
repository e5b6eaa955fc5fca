import { once } from "node:events";
import type { IncomingMessage, Server as HttpServer } from "node:http";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

/** Somebody else's tus server, in this process, with a directory of its own. */
export class TusPeer implements AsyncDisposable {
  /** `METHOD` of every request, with `@offset` for appends. */
  readonly requests: string[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  /** Deals with the next request in the server's place, unless it answers false. */
  readonly faults: ((...exchange: Parameters<Server["handle"]>) => boolean)[] = [];
  readonly #directory: string;
  readonly #http: HttpServer;

  private constructor(directory: string) {
    this.#directory = directory;
    const datastore = new FileStore({ directory });
    // A request that is waited for is given this long to end.
    const tus = new Server({ path: "/files", datastore, lockDrainTimeout: 20 });
    this.#http = createServer((request, response) => {
      const { method = "", headers } = request;
      const offset = headers["upload-offset"];
      this.requests.push(typeof offset === "string" ? `${method}@${offset}` : method);
      this.headers.push(headers);
      if (this.faults.shift()?.(request, response) === true) return;
      tus.handle(request, response).catch(() => {
        response.destroy();
      });
    });
  }

  static async start(): Promise<TusPeer> {
    const peer = new TusPeer(await mkdtemp(join(tmpdir(), "tus-peer-")));
    peer.#http.listen(0, "127.0.0.1");
    await once(peer.#http, "listening");
    return peer;
  }

  get port(): number {
    // `as` because a listening TCP server has no other kind of address.
    return (this.#http.address() as AddressInfo).port;
  }

  /** Where uploads are made. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/files`;
  }

  /** The bytes of an upload. */
  bytesOf(id: string): Promise<Buffer> {
    return readFile(join(this.#directory, basename(id)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
    await rm(this.#directory, { recursive: true });
  }
}
