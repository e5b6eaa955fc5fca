import { once } from "node:events";
import { createServer, request as sendRequest, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { RawAddress } from "./raw-http.ts";

/**
 * `refuse` answers 503, `unimplemented` 501 and `bad-request` 400, and none of them passes anything on, `reset` resets the connection instead of it, `lose`
 * resets the connection after the store has done what it was asked, `stall` never answers, `cut`
 * resets in the middle of the answer's body, `false-success` answers 200 with an error for a body,
 * `empty-success` 200 with no body, both without asking the store, `slow` waits before it passes the request on, `pause` waits until it is released, `late` resets
 * the connection and passes the request on once it is released.
 */
export type S3Fault =
  | "refuse"
  | "unimplemented"
  | "bad-request"
  | "reset"
  | "lose"
  | "stall"
  | "cut"
  | "false-success"
  | "empty-success"
  | "slow"
  | "pause"
  | "late";

export interface S3Request {
  /** Counted from 0. */
  readonly index: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** Decides for each request what is to go wrong with it. */
export type S3FaultPlan = (request: S3Request) => S3Fault | undefined;

const slowMs = 700;
const statuses = { refuse: 503, unimplemented: 501, "bad-request": 400 } as const;
const errorBody = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>`;

/** In front of a real S3 gateway; knows requests, where a TCP proxy knows only bytes. */
export class S3FaultProxy {
  readonly requests: S3Request[] = [];
  plan: S3FaultPlan = () => undefined;
  readonly #server: Server;
  readonly #target: RawAddress;
  readonly #held: PromiseWithResolvers<undefined>[] = [];
  readonly #landing: Promise<unknown>[] = [];

  private constructor(server: Server, target: RawAddress) {
    this.#server = server;
    this.#target = target;
    server.on("request", (incoming) => {
      void this.#serve(incoming);
    });
  }

  static async start(target: RawAddress): Promise<S3FaultProxy> {
    const server = createServer({ requestTimeout: 0 });
    const proxy = new S3FaultProxy(server, target);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo; // a TCP server always has one
    return `http://127.0.0.1:${port}`;
  }

  /** How many requests wait to be released. */
  get held(): number {
    return this.#held.length;
  }

  /** Passes on the request that was held first. Late ones have landed when this resolves. */
  async release(): Promise<void> {
    this.#held.shift()?.resolve(undefined);
    await Promise.allSettled(this.#landing.splice(0, 1));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(incoming: IncomingMessage): Promise<void> {
    const { method = "", url: path = "", headers } = incoming;
    const seen = { index: this.requests.length, method, path, headers };
    this.requests.push(seen);
    const fault = this.plan(seen);
    const body = await bodyOf(incoming);
    if (body === undefined || fault === "stall") return;
    if (fault === "reset") {
      incoming.socket.destroy();
      return;
    }
    if (fault === "late") {
      this.#landing.push(this.#hold().then(() => this.#forward(incoming, body)));
      incoming.socket.destroy();
      return;
    }
    if (fault === "slow") await sleep(slowMs);
    if (fault === "pause") await this.#hold();
    if (fault === "refuse" || fault === "unimplemented" || fault === "bad-request") {
      answer(incoming, { status: statuses[fault], headers: {}, body: Buffer.from("") });
      return;
    }
    if (fault === "false-success") {
      answer(incoming, { status: 200, headers: {}, body: Buffer.from(errorBody) });
      return;
    }
    if (fault === "empty-success") {
      answer(incoming, { status: 200, headers: {}, body: Buffer.from("") });
      return;
    }
    const given = await this.#forward(incoming, body).catch(() => undefined);
    if (fault === "lose" || given === undefined) incoming.socket.destroy();
    else answer(incoming, given, fault === "cut" ? given.body.length / 2 : undefined);
  }

  #hold(): Promise<undefined> {
    const held = Promise.withResolvers<undefined>();
    this.#held.push(held);
    return held.promise;
  }

  async #forward(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    const { method, url: path, headers } = incoming;
    // The host stays as it was: the signature covers it.
    const outgoing = sendRequest({ ...this.#target, method, path, headers, agent: false });
    outgoing.end(body);
    const given = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once("response", resolve).once("error", reject);
    });
    const bytes = await bodyOf(given);
    if (bytes === undefined) throw new Error("the gateway's answer was cut");
    return { status: given.statusCode ?? 502, headers: given.headers, body: bytes };
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Raw, so that nothing is said that the store did not say. */
function answer(
  incoming: IncomingMessage,
  { status, headers, body }: Answer,
  cutAt?: number,
): void {
  const { socket } = incoming;
  const kept = Object.entries(headers).filter(
    ([name]) => !["transfer-encoding", "connection", "content-length"].includes(name),
  );
  const length = headers["content-length"] ?? `${body.length}`;
  const lines = kept.flatMap(([name, value]) =>
    [value ?? []].flat().map((one) => `${name}: ${one}`),
  );
  const head = [
    `HTTP/1.1 ${status} Given`,
    ...lines,
    `content-length: ${length}`,
    "connection: close",
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  if (cutAt === undefined) {
    socket.end(body);
    return;
  }
  socket.write(body.subarray(0, cutAt), () => socket.destroy());
}

async function bodyOf(message: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) {
      if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}
