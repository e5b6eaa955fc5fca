import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { bundleForBrowser } from "./browser-bundle.ts";

const html = `<!doctype html>
<meta charset="utf-8" />
<title>hawser-client</title>
<link rel="icon" href="data:," />
<input type="file" id="file" />
<script type="module" src="/program.js"></script>
`;

/** Serves one page: a place to pick a file, and a program that puts itself into `globalThis`. */
export class PageServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param program a TypeScript file of this repository */
  static async start(program: string): Promise<PageServer> {
    const { code } = await bundleForBrowser(program);
    const server = createServer((request, response) => {
      const isProgram = request.url === "/program.js";
      response.setHeader("content-type", isProgram ? "text/javascript" : "text/html");
      response.end(isProgram ? code : html);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new PageServer(server);
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // a TCP server always has one
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
