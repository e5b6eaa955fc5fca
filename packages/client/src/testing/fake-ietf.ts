import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/**
 * A small real HTTP server that keeps one upload in memory and speaks the IETF's draft; each fault
 * deals with one request in its place.
 */
export class FakeIetf implements AsyncDisposable {
  /** `METHOD path`, with `@offset` and the flag where they were sent. */
  readonly requests: string[] = [];
  readonly headers: IncomingMessage["headers"][] = [];
  readonly faults: Handler[] = [];
  /** Told with every answer. */
  limit: string | undefined;
  /** Where more is told of the upload, and what. */
  link: string | undefined;
  described = "";
  kept = Buffer.alloc(0);
  isComplete = false;
  length: string | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response).catch(() => {
        response.destroy();
      });
    });
  }

  static async listen(): Promise<FakeIetf> {
    const fake = new FakeIetf();
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get url(): string {
    // `as` because a listening TCP server has no other kind of address.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** Keeps at most so many bytes of a body. */
  async keep(request: IncomingMessage, most = Infinity): Promise<void> {
    let taken = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, most - taken);
      taken += part.length;
      this.kept = Buffer.concat([this.kept, part]);
      if (taken >= most) return;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const offset = headers["upload-offset"];
    const flag = headers["upload-complete"];
    const more = [offset === undefined ? "" : `@${String(offset)}`, flag ?? ""];
    this.requests.push([method, url, ...more].filter((part) => part !== "").join(" "));
    this.headers.push(headers);
    if (this.limit !== undefined) response.setHeader("upload-limit", this.limit);
    if (this.link !== undefined) {
      response.setHeader("link", `<${this.link}>; rel="describedby"`);
    }
    const fault = this.faults.shift();
    if (fault !== undefined) return fault(request, response);
    if (method === "POST") this.#create(request, response);
    else if (url.startsWith("/described")) response.end(this.described);
    else if (url !== "/uploads/1") response.writeHead(404).end();
    else if (method === "PATCH") await this.#append(request, response);
    else if (method === "HEAD") this.#tell(response);
    else response.writeHead(204).end();
  }

  #create(request: IncomingMessage, response: ServerResponse): void {
    this.kept = Buffer.alloc(0);
    this.isComplete = false;
    this.length = String(request.headers["upload-length"]);
    response.writeHead(201, { location: "/uploads/1", "upload-complete": "?0" }).end();
  }

  #tell(response: ServerResponse): void {
    response.setHeader("upload-offset", this.kept.length);
    if (this.length !== undefined) response.setHeader("upload-length", this.length);
    response.writeHead(204, { "upload-complete": this.isComplete ? "?1" : "?0" }).end();
  }

  async #append(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (Number(request.headers["upload-offset"]) !== this.kept.length) {
      const type = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";
      const problem = { type, title: "another offset", "expected-offset": this.kept.length };
      response.writeHead(409, { "upload-offset": this.kept.length });
      response.end(JSON.stringify(problem));
      return;
    }
    await this.keep(request);
    this.isComplete = request.headers["upload-complete"] === "?1";
    response.writeHead(this.isComplete ? 200 : 204, {
      "upload-complete": this.isComplete ? "?1" : "?0",
    });
    response.end();
  }
}
