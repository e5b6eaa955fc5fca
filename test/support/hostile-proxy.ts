import { once } from "node:events";
import {
  createServer,
  request as sendRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

import type { RawAddress } from "./raw-http.ts";
import { writeTaken } from "./write-taken.ts";

/**
 * `cut` passes so many bytes of the body on and breaks both connections, `stall` passes them on and
 * then nothing more, `refuse` answers in the server's place, `lose` lets the server answer and keeps
 * the answer, `lie` tells another offset than the server's, where its answer has one.
 */
export type HostileFault =
  | { readonly kind: "cut"; readonly bytes: number; readonly how: "close" | "reset" }
  | { readonly kind: "stall"; readonly bytes: number }
  | { readonly kind: "refuse"; readonly status: number }
  | { readonly kind: "lose" }
  | { readonly kind: "lie"; readonly tell: (offset: number) => unknown };

/** What a request is for. */
export type HostileRoute = "start" | "append" | "ask" | "other";

export type HostilePlan = (route: HostileRoute) => HostileFault | undefined;

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** In front of a real server; knows the protocols' requests, where a TCP proxy knows only bytes. */
export class HostileProxy implements AsyncDisposable {
  plan: HostilePlan = () => undefined;
  /** Lies that were told so far. */
  lies = 0;
  readonly #server: Server;
  readonly #target: RawAddress;

  private constructor(server: Server, target: RawAddress) {
    this.#server = server;
    this.#target = target;
    server.on("request", (incoming, outgoing) => {
      void this.#serve({ incoming, outgoing }).catch(() => {
        incoming.socket.destroy();
      });
    });
  }

  static async start(target: RawAddress): Promise<HostileProxy> {
    const server = createServer({ requestTimeout: 0, noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HostileProxy(server, target);
  }

  get address(): RawAddress {
    const { port } = this.#server.address() as AddressInfo; // a TCP server always has one
    return { host: "127.0.0.1", port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { incoming, outgoing } = exchange;
    const fault = this.plan(routeOf(incoming));
    if (fault?.kind === "refuse") {
      incoming.resume();
      const body = JSON.stringify({ error: { message: "a hostile answer", code: 1 } });
      outgoing.writeHead(fault.status, { "content-type": "application/json" }).end(body);
      return;
    }
    const upstream = this.#connect(exchange);
    const answered = once(upstream, "response") as Promise<[IncomingMessage]>; // its only argument
    answered.catch(() => undefined);
    const most = fault?.kind === "cut" || fault?.kind === "stall" ? fault.bytes : Infinity;
    const passing = passBody(incoming, upstream, most);
    // Whoever breaks off in the middle of a body is seen by the other side of the exchange.
    passing.catch(() => undefined);
    if (fault?.kind === "stall") return;
    if (fault?.kind === "cut") {
      await passing;
      end(exchange, upstream, fault.how);
      return;
    }
    const [answer] = await answered;
    await this.#answer(exchange, answer, fault);
  }

  #connect({ incoming, outgoing }: Exchange): ClientRequest {
    const { method, url: path, headers } = incoming;
    const { host, port } = this.#target;
    const upstream = sendRequest({ host, port, method, path, headers, agent: false });
    upstream.on("error", () => incoming.socket.destroy());
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) upstream.destroy();
    });
    return upstream;
  }

  async #answer(
    { incoming, outgoing }: Exchange,
    answer: IncomingMessage,
    fault: HostileFault | undefined,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
    if (fault?.kind === "lose") {
      incoming.socket.resetAndDestroy();
      return;
    }
    const truth = { headers: answer.headers, body: Buffer.concat(chunks) };
    const { headers, body } = fault?.kind === "lie" ? this.#lie(truth, fault.tell) : truth;
    const isHead = incoming.method === "HEAD" || answer.statusCode === 204;
    const length = isHead ? {} : { "content-length": String(body.length) };
    outgoing.writeHead(answer.statusCode ?? 500, { ...headers, ...length }).end(body);
  }

  #lie(truth: Answer, tell: (offset: number) => unknown): Answer {
    const { headers, body } = truth;
    const offset = headers["upload-offset"] ?? graphOffset(body);
    if (offset === undefined) return truth;
    const told = tell(Number(offset));
    if (told === Number(offset)) return truth;
    this.lies += 1;
    if ("upload-offset" in headers) {
      return { headers: { ...headers, "upload-offset": JSON.stringify(told) }, body };
    }
    const fields = JSON.parse(body.toString()) as object; // an object with an offset, as was seen
    return { headers, body: Buffer.from(JSON.stringify({ ...fields, file_offset: told })) };
  }
}

/** The offset that an answer of Graph's tells. */
function graphOffset(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const fields: unknown = JSON.parse(body.toString());
  if (typeof fields !== "object" || fields === null || !("file_offset" in fields)) return undefined;
  return fields.file_offset;
}

/** Of tus and of the IETF's protocol. */
const standardRoutes: Readonly<Record<string, HostileRoute>> = {
  POST: "start",
  HEAD: "ask",
  PATCH: "append",
};

function routeOf({ method = "", url = "" }: IncomingMessage): HostileRoute {
  if (url.startsWith("/uploads")) return standardRoutes[method] ?? "other";
  if (url.includes("/uploads?")) return "start";
  if (!url.includes("/upload:")) return "other";
  return method === "GET" ? "ask" : method === "POST" ? "append" : "other";
}

/** Resolves when the body, or so much of it, has been handed to the system. */
async function passBody(from: IncomingMessage, to: ClientRequest, most: number): Promise<void> {
  let left = most;
  if (left > 0) {
    const chunks = from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>; // no encoding
    for await (const chunk of chunks) {
      await writeTaken(to, chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) return;
    }
  }
  if (most === Infinity) to.end();
  else to.flushHeaders();
}

function end({ incoming }: Exchange, upstream: ClientRequest, how: "close" | "reset"): void {
  upstream.destroy();
  if (how === "reset") incoming.socket.resetAndDestroy();
  else incoming.socket.destroy();
}
