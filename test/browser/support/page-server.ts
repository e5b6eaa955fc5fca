import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { repositoryDirectory } from "../../support/server-process.ts";
import { bundleForBrowser } from "./browser-bundle.ts";

/** Files of this repository, by their paths in it. */
export interface PageParts {
  readonly html: string;
  /** TypeScript; served under any name that ends in `.js`. */
  readonly program: string;
  /** Style sheets of packages, as they are imported; served under any name that ends in `.css`. */
  readonly styles?: readonly string[];
}

/** The page of the library's own tests. */
export const libraryPage: PageParts = Object.freeze({
  html: "test/browser/support/library-page.html",
  program: "test/browser/support/library-page.ts",
});

type Texts = Readonly<Record<"html" | "code" | "styles", string>>;

function answerTo(path: string, { html, code, styles }: Texts): readonly [string, string] {
  if (path.endsWith(".js")) return ["text/javascript", code];
  return path.endsWith(".css") ? ["text/css", styles] : ["text/html", html];
}

function styleOf(specifier: string): Promise<string> {
  return readFile(createRequire(import.meta.url).resolve(specifier), "utf8");
}

/** Serves one page, its program and its style. */
export class PageServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(parts: PageParts): Promise<PageServer> {
    const { code } = await bundleForBrowser(parts.program);
    const html = await readFile(join(repositoryDirectory, parts.html), "utf8");
    const styles = (await Promise.all((parts.styles ?? []).map(styleOf))).join("\n");
    const server = createServer((request, response) => {
      const [type, text] = answerTo(request.url ?? "/", { html, code, styles });
      response.setHeader("content-type", type);
      response.end(text);
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
