import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectSecure, TLSSocket } from "node:tls";
import { parseAnswer, parseInterim, type Answer } from "./answer.ts";

/** Where connections are opened to, and on what terms. */
export interface Place {
  readonly url: URL;
  /** Talk also to whom no certificate vouches for. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

export interface RequestHead {
  readonly method: string;
  /** The request's target, sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How waiting for an answer ended. */
export type Reply =
  | { readonly kind: "answer"; readonly answer: Answer; readonly waitedMs: number }
  | { readonly kind: "closed" | "silent"; readonly waitedMs: number };

/** No certificate vouches for the other side. */
export class UntrustedError extends Error {
  override readonly name = "UntrustedError";

  constructor() {
    super("the certificate is not trusted, so no token is sent (--insecure sends it)");
  }
}

const connectMsMax = 10_000;
const writeMsMax = 30_000;

/** A socket that is connected; with TLS also to whom no certificate vouches for. */
export async function openSocket(
  { url, signal }: Place,
  protocols: readonly string[] = ["http/1.1"],
): Promise<Socket> {
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const socket = secure
    ? connectSecure({
        ...{ host, port, rejectUnauthorized: false, ALPNProtocols: [...protocols] },
        // A server's name may not be an address there (RFC 6066, section 3).
        ...(isIP(host) === 0 ? { servername: host } : {}),
      })
    : connectPlain({ host, port });
  const connected = Promise.withResolvers<undefined>();
  const give = (): void => {
    socket.destroy(new Error(`no connection to ${url.host} in ${connectMsMax / 1000} s`));
  };
  const timer = setTimeout(give, connectMsMax);
  const abort = (): void => {
    socket.destroy();
  };
  signal.addEventListener("abort", abort);
  socket.once(secure ? "secureConnect" : "connect", connected.resolve);
  socket.once("error", connected.reject);
  socket.once("close", () => {
    signal.removeEventListener("abort", abort);
    connected.reject(new Error(`the connection to ${url.host} was closed at once`));
  });
  await connected.promise.finally(() => {
    clearTimeout(timer);
  });
  return socket;
}

/**
 * One connection that speaks HTTP/1.1 by hand: a probe has to decide when which byte goes, and to
 * see what a client library hides.
 */
export class Line {
  readonly #socket: Socket;
  readonly #host: string;
  #received: Buffer = Buffer.alloc(0);
  #method = "GET";
  #ended = false;
  #changed = Promise.withResolvers<undefined>();

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    for (const event of ["end", "error", "close"]) socket.on(event, end);
  }

  /** Refuses to talk to whom no certificate vouches for, unless told to: a token is at stake. */
  static async open(place: Place): Promise<Line> {
    const socket = await openSocket(place);
    if (socket instanceof TLSSocket && !socket.authorized && !place.insecure) {
      socket.destroy();
      throw new UntrustedError();
    }
    return new Line(socket, place.url.host);
  }

  /** Whether the other side has closed, or an answer has begun. */
  get isOver(): boolean {
    return this.#ended || this.#received.length > 0;
  }

  /** Resolves once the kernel has the bytes; false when the connection is gone or takes nothing. */
  async write(bytes: Uint8Array | string): Promise<boolean> {
    if (this.#ended || !this.#socket.writable) return false;
    const written = Promise.withResolvers<boolean>();
    const gone = (): void => {
      written.resolve(false);
    };
    // A socket that is destroyed with writes in flight does not call all of them back.
    this.#socket.once("close", gone);
    const timer = setTimeout(gone, writeMsMax);
    this.#socket.write(bytes, (error) => {
      written.resolve(error === undefined || error === null);
    });
    return await written.promise.finally(() => {
      clearTimeout(timer);
      this.#socket.off("close", gone);
    });
  }

  async sendHead({ method, path, headers = {} }: RequestHead): Promise<boolean> {
    this.#method = method;
    const lines = Object.entries({ Host: this.#host, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    return await this.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** Whether something came, or the other side closed, before the time was over. */
  async stirs(waitMs: number): Promise<boolean> {
    const stirred = await this.#until(() => (this.isOver ? true : undefined), waitMs);
    return stirred === true;
  }

  /** The next interim answer's status (1xx); undefined when none came. */
  async interim(waitMs: number): Promise<number | undefined> {
    const found = await this.#until(() => {
      const interim = parseInterim(this.#received);
      if (interim !== undefined) {
        this.#received = this.#received.subarray(interim.length);
        return interim.status;
      }
      return this.isOver ? "none" : undefined;
    }, waitMs);
    return typeof found === "number" ? found : undefined;
  }

  /** The final answer. */
  async reply(waitMs: number): Promise<Reply> {
    const startedMs = performance.now();
    const found = await this.#until(() => this.#answer(), waitMs);
    const waitedMs = performance.now() - startedMs;
    if (found === undefined) return { kind: "silent", waitedMs };
    if (found === "closed") return { kind: "closed", waitedMs };
    return { kind: "answer", answer: found, waitedMs };
  }

  close(): void {
    this.#socket.destroy();
  }

  #answer(): Answer | "closed" | undefined {
    for (;;) {
      const interim = parseInterim(this.#received);
      if (interim === undefined) break;
      this.#received = this.#received.subarray(interim.length);
    }
    const reading = { method: this.#method, ended: this.#ended };
    const parsed = parseAnswer(this.#received, reading);
    if (parsed === undefined) return this.#ended ? "closed" : undefined;
    this.#received = this.#received.subarray(parsed.length);
    return parsed.answer;
  }

  async #until<Value>(look: () => Value | undefined, waitMs: number): Promise<Value | undefined> {
    const giveUpAt = performance.now() + waitMs;
    const timer = setTimeout(() => {
      this.#wake();
    }, waitMs + 1);
    try {
      for (;;) {
        // Taken before looking, so that what arrives while we look is not missed.
        const changed = this.#changed.promise;
        const value = look();
        if (value !== undefined || performance.now() >= giveUpAt) return value;
        await changed;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #wake(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers<undefined>();
  }
}
