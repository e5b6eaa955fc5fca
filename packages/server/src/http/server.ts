import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { Socket } from "node:net";

import type { Clock } from "../base/clock.ts";
import { asError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { setBodyDeadline } from "./body-deadline.ts";
import { BodyWatch } from "./body-watch.ts";
import { malformedAnswer, refuseRaw, unknownErrorAnswer } from "./client-error.ts";
import { corsHeaders, preflightAnswer, type AllowedOrigins } from "./cors.ts";
import { Exchange, type Arrival, type ExchangeParts } from "./exchange.ts";
import { LingeringClose } from "./lingering-close.ts";
import { loggablePath } from "./loggable-path.ts";
import { ReaderWatch } from "./reader-watch.ts";

export interface Protocol {
  readonly name: string;
  matches(exchange: Exchange): boolean;
  handle(exchange: Exchange): Promise<void>;
}

export interface HttpServerParts {
  readonly protocols: readonly Protocol[];
  readonly fallback: (request: IncomingMessage, response: ServerResponse) => void;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Whose pages may call the protocols; nobody else's when left out. */
  readonly corsOrigins?: AllowedOrigins;
  readonly onAnswered?: (answered: Answered) => void;
}

/** A request that is over, as the log has it. */
export interface Answered {
  readonly trace: string;
  readonly method: string;
  /** Without what may hold a token. */
  readonly path: string;
  /** 0 when its client was gone before there was an answer. */
  readonly status: number;
  /** What its protocol noted: `error`, `upload`, `app` and others, where they are known. */
  readonly facts: Readonly<Record<string, unknown>>;
}

interface AccessFacts {
  readonly status: number;
  readonly ms: number;
  readonly bytes?: number;
}

/** What wants to know how its connection fares. */
interface Listener {
  connectionLost(): void;
  inputBroken(): void;
}

const settings: ServerOptions = {
  // Node's own limit would end healthy slow uploads; the body's pace is judged instead.
  requestTimeout: 0,
  headersTimeout: limits.headersMsMax,
  connectionsCheckingInterval: limits.connectionsCheckMs,
  keepAliveTimeout: limits.keepAliveMs,
  // A missing one is refused by us: Node's own answer has no body to say why.
  requireHostHeader: false,
};

/** Gives each request to the first protocol that knows it, and the rest to the fallback. */
export class HttpServer {
  readonly #parts: HttpServerParts;
  readonly #server: Server;
  readonly #watch: BodyWatch;
  readonly #readers: ReaderWatch;
  readonly #exchanges: ExchangeParts;
  /** Who works for each connection: mostly one, as few clients pipeline. */
  readonly #open = new WeakMap<Socket, readonly Listener[]>();
  readonly #lingering: LingeringClose;
  /** What was wrong with what came behind requests that are still being answered. */
  readonly #broken = new WeakMap<Socket, Error>();
  #drained: Promise<void> | undefined;

  constructor(parts: HttpServerParts) {
    this.#parts = parts;
    this.#watch = new BodyWatch(parts.clock);
    this.#readers = new ReaderWatch(parts.clock);
    this.#lingering = new LingeringClose(parts.clock);
    const { clock, random, corsOrigins = [] } = parts;
    const closing = (): boolean => this.draining;
    this.#exchanges = { clock, random, watch: this.#watch, closing, corsOrigins };
    this.#server = createServer(settings);
    // A client may finish its side and go on listening. Node ends ours then, answered or not,
    // unless this is set, for which it has neither an option nor a type.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    this.#server.on("connection", (socket) => {
      this.#connected(socket);
    });
    this.#server.on("request", (request, response) => {
      this.#arrived({ request, response, expectsContinue: false });
    });
    this.#server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      this.#arrived({ request, response, expectsContinue: true });
    });
    this.#server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
      // Node's own refusal has no body to say why. Ignoring is allowed (RFC 9110, section 10.1.1).
      this.#arrived({ request, response, expectsContinue: false });
    });
    this.#server.on("clientError", (error, socket) => {
      // Plain HTTP has no other streams than these; the type allows for any.
      if (socket instanceof Socket) this.#clientFailed(error, socket);
      else socket.destroy();
    });
  }

  get draining(): boolean {
    return this.#drained !== undefined;
  }

  async listen(host: string, port: number): Promise<{ host: string; port: number }> {
    const listening = Promise.withResolvers<undefined>();
    this.#server.once("error", listening.reject);
    this.#server.listen({ host, port }, () => {
      listening.resolve(undefined);
    });
    await listening.promise;
    this.#server.off("error", listening.reject);
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no TCP address");
    return { host: address.address, port: address.port };
  }

  /** Takes nothing new, lets every append make durable what it has, and answers what is open. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = Promise.withResolvers<undefined>();
    this.#server.close(() => {
      closed.resolve(undefined);
    });
    this.#server.closeIdleConnections();
    this.#watch.stopAll();
    const cancel = this.#parts.clock.after(limits.drainMsMax, () => {
      this.#server.closeAllConnections();
    });
    await closed.promise;
    cancel();
  }

  #connected(socket: Socket): void {
    this.#readers.add(socket);
    this.#lingering.adopt(socket);
    // Not `once`, here and below: it costs a wrapper for each, and a socket closes only once.
    socket.on("close", () => {
      this.#readers.delete(socket);
      for (const listener of this.#listenersOf(socket)) listener.connectionLost();
    });
  }

  #listenersOf(socket: Socket): readonly Listener[] {
    return this.#open.get(socket) ?? [];
  }

  #arrived(arrival: Arrival): void {
    const exchange = new Exchange(arrival, this.#exchanges);
    this.#track(exchange, arrival);
    this.#dispatch(exchange, arrival).catch((thrown: unknown) => {
      this.#parts.log.error(
        { trace: exchange.traceId, err: asError(thrown) },
        "an answer could not be given",
      );
      arrival.request.socket.destroy();
    });
  }

  /** Known to its connection until the response is over. */
  #track(listener: Listener, { request, response }: Pick<Arrival, "request" | "response">): void {
    const { socket } = request;
    this.#open.set(socket, [...this.#listenersOf(socket), listener]);
    response.on("close", () => {
      const others = this.#listenersOf(socket).filter((other) => other !== listener);
      this.#open.set(socket, others);
      const error = this.#broken.get(socket);
      if (others.length === 0 && error !== undefined) this.#refuse(error, socket);
      if (this.draining) this.#server.closeIdleConnections();
    });
  }

  async #dispatch(exchange: Exchange, arrival: Arrival): Promise<void> {
    const startedAt = this.#parts.clock.monotonic();
    try {
      const protocol = this.#parts.protocols.find((each) => each.matches(exchange));
      if (protocol !== undefined) {
        const preflight = preflightAnswer(this.#exchanges.corsOrigins, exchange);
        if (preflight === undefined) exchange.gatherEarly();
        await (preflight === undefined ? protocol.handle(exchange) : exchange.respond(preflight));
        if (!exchange.answered && !exchange.signal.aborted) {
          throw new Error(`${protocol.name} gave no answer`);
        }
      } else if (exchange.lacksHost) {
        await exchange.respond(malformedAnswer(exchange.traceId));
      } else {
        this.#fallBack(exchange, arrival);
        return;
      }
    } catch (thrown) {
      await this.#failed(exchange, thrown);
    }
    exchange.close();
    const status = arrival.response.headersSent ? arrival.response.statusCode : 0;
    const bytes = exchange.received;
    this.#logAccess(exchange, { status, ms: this.#since(startedAt), bytes });
  }

  #fallBack(exchange: Exchange, { request, response, expectsContinue }: Arrival): void {
    const startedAt = this.#parts.clock.monotonic();
    response.once("close", () => {
      const status = response.headersSent ? response.statusCode : 0;
      this.#logAccess(exchange, { status, ms: this.#since(startedAt) });
    });
    const inputBroken = (): void => {
      if (!request.complete) this.#endBroken({ request, response });
    };
    this.#track({ inputBroken, connectionLost: () => undefined }, { request, response });
    setBodyDeadline(request, this.#parts.clock);
    if (this.draining) response.shouldKeepAlive = false;
    if (expectsContinue) continueInTurn(response);
    this.#parts.fallback(request, response);
  }

  /** Nobody else would end a request that can never be complete; what came before it still may. */
  #endBroken({ request, response }: Pick<Arrival, "request" | "response">): void {
    if (response.socket === null) {
      response.once("socket", () => {
        this.#endBroken({ request, response });
      });
    } else if (!response.headersSent) {
      this.#refuse(new Error("the body is broken"), request.socket);
    } else if (response.writableEnded && !response.writableFinished) {
      response.once("finish", () => {
        request.socket.destroySoon();
      });
    } else {
      request.socket.destroySoon();
    }
  }

  async #failed(exchange: Exchange, thrown: unknown): Promise<void> {
    const facts = { trace: exchange.traceId, err: asError(thrown) };
    this.#parts.log.error(facts, "a request failed");
    if (!exchange.answered) await exchange.respond(unknownErrorAnswer(exchange.traceId));
  }

  #clientFailed(error: Error, socket: Socket): void {
    if (this.#lingering.has(socket)) return;
    const open = this.#listenersOf(socket);
    if (open.length === 0) {
      this.#refuse(error, socket);
    } else if (socket.destroyed) {
      // An error of the socket itself comes here, too, before the socket is closed.
      for (const listener of open) listener.connectionLost();
    } else {
      // Requests are being worked on: their bytes count, and their answers say how it went. Only
      // the last can have broken off; those before it have nothing to do with it.
      this.#broken.set(socket, error);
      open.at(-1)?.inputBroken();
    }
  }

  /** Answers what is no request, as the last thing on its connection. */
  #refuse(error: Error, socket: Socket): void {
    if (this.#lingering.has(socket)) return;
    const { random, log, corsOrigins } = this.#parts;
    // Whose page sent it cannot be read: only what holds for all of them can be said.
    const headers = corsOrigins === "*" ? corsHeaders("*", "*") : {};
    refuseRaw({ error, socket, random, log, headers });
  }

  #since(startedAt: number): number {
    return Math.round(this.#parts.clock.monotonic() - startedAt);
  }

  /** The path only: a query may carry a token. */
  #logAccess(exchange: Exchange, facts: AccessFacts): void {
    const { traceId: trace, method, logFacts } = exchange;
    const path = loggablePath(exchange.path);
    this.#parts.log.info({ trace, method, path, ...facts, ...logFacts }, "answered");
    const { status } = facts;
    this.#parts.onAnswered?.({ trace, method, path, status, facts: logFacts });
  }
}

/** Behind another answer of its connection, Node would put this one's head before it. */
function continueInTurn(response: ServerResponse): void {
  if (response.socket !== null) response.writeContinue();
  else
    response.once("socket", () => {
      if (!response.headersSent) response.writeContinue();
    });
}
