import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";

import { within } from "./eventually.ts";
import {
  type HeaderLine,
  interimSoFar,
  parseResponse,
  type RawResponse,
  type ResponseHead,
} from "./response-parser.ts";

export type { HeaderLine, RawResponse, ResponseHead } from "./response-parser.ts";
export { headerValue, headerValues } from "./response-parser.ts";

export interface RawAddress {
  readonly host: string;
  readonly port: number;
}

export interface RawRequestHead {
  readonly method: string;
  /** The request target, sent as it is. */
  readonly path: string;
  /** In this order and spelling, duplicates and all. `Host` is added only when none is given. */
  readonly headers?: readonly HeaderLine[];
}

export interface WaitOptions {
  /** A hang guard, not an assertion about speed. */
  readonly timeoutMs?: number;
}

export interface WriteWhileTakenOptions {
  /** Stop as careful clients do: at the first byte of an answer. */
  readonly untilAnswered?: boolean;
}

export type ConnectionEnd = "open" | "ended" | "reset";

/**
 * One TCP connection that speaks HTTP/1.1 by hand, so that a test decides about every byte: what
 * a well-behaved client library would never send can be sent, and nothing is hidden of the answer.
 */
export class RawConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #received: Buffer = Buffer.alloc(0);
  #method = "GET";
  #end: ConnectionEnd = "open";
  #changed = Promise.withResolvers<undefined>();
  readonly #gone = Promise.withResolvers<false>();

  private constructor(socket: Socket, address: RawAddress) {
    this.#socket = socket;
    this.#host = `${address.host}:${address.port}`;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    socket.on("end", () => {
      this.#finish("ended");
    });
    socket.on("error", () => {
      this.#finish("reset");
    });
    socket.on("close", () => {
      this.#gone.resolve(false);
      this.#finish("ended");
    });
  }

  static async open(address: RawAddress): Promise<RawConnection> {
    // Half-open allowed, so that the answer can still be read after this side has finished.
    const socket = connect({ ...address, allowHalfOpen: true });
    await within(once(socket, "connect"), { what: "a connection" });
    return new RawConnection(socket, address);
  }

  /** Bytes the kernel has taken over; what the peer has not drained stops it growing. */
  get acceptedBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  /** How the peer's side of the connection stands. */
  get peerEnd(): ConnectionEnd {
    return this.#end;
  }

  /** Everything received and not yet read as a response. */
  get received(): Buffer {
    return this.#received;
  }

  /** Resolves once the kernel has the bytes; false when the connection is gone. */
  async write(bytes: Uint8Array | string): Promise<boolean> {
    if (this.#socket.destroyed || !this.#socket.writable) return false;
    const flushed = Promise.withResolvers<boolean>();
    this.#socket.write(bytes, (error) => {
      flushed.resolve(error === undefined || error === null);
    });
    // A socket that is destroyed with writes in flight does not call all of them back.
    return Promise.race([flushed.promise, this.#gone.promise]);
  }

  async sendHead({ method, path, headers = [] }: RawRequestHead): Promise<boolean> {
    this.#method = method;
    const named = headers.some(([name]) => name.toLowerCase() === "host");
    const all: readonly HeaderLine[] = named ? headers : [["Host", this.#host], ...headers];
    const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return this.write(Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}\r\n`, "latin1"));
  }

  async sendChunk(bytes: Uint8Array): Promise<boolean> {
    const head = Buffer.from(`${bytes.length.toString(16)}\r\n`, "latin1");
    return this.write(Buffer.concat([head, bytes, Buffer.from("\r\n")]));
  }

  async sendLastChunk(): Promise<boolean> {
    return this.write("0\r\n\r\n");
  }

  /** Sends until all is sent or the peer stops taking it: answers how many bytes were handed over. */
  async writeWhileTaken(
    chunks: Iterable<Uint8Array>,
    { untilAnswered = false }: WriteWhileTakenOptions = {},
  ): Promise<number> {
    const before = this.acceptedBytes;
    for (const chunk of chunks) {
      if (this.#end !== "open" || (untilAnswered && this.#received.length > 0)) break;
      if (!(await this.write(chunk))) break;
      // A write that the kernel takes at once gives no turn to what has arrived meanwhile.
      await setImmediate();
    }
    return this.acceptedBytes - before;
  }

  /** The next interim answer (1xx), or the final head's status if that comes first. */
  async readInterim(options: WaitOptions = {}): Promise<ResponseHead | undefined> {
    return this.#waitFor("an interim answer", options, () => {
      const [interim] = interimSoFar(this.#received);
      if (interim !== undefined) return { value: interim };
      const context = { method: this.#method, ended: this.#end !== "open" };
      const final = parseResponse(this.#received, context);
      if (final !== undefined || context.ended) return { value: undefined };
      return undefined;
    });
  }

  /** The final answer; undefined when the connection ended without one. */
  async readResponse(options: WaitOptions = {}): Promise<RawResponse | undefined> {
    return this.#waitFor("an answer", options, () => {
      const context = { method: this.#method, ended: this.#end !== "open" };
      const parsed = parseResponse(this.#received, context);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.consumed);
        return { value: parsed.response };
      }
      return context.ended ? { value: undefined } : undefined;
    });
  }

  /** The final answer; an error when there is none. */
  async answer(options: WaitOptions = {}): Promise<RawResponse> {
    const response = await this.readResponse(options);
    if (response === undefined) throw new Error("the connection ended without an answer");
    return response;
  }

  /** Resolves when the peer has closed or reset its side. */
  async peerClosed(options: WaitOptions = {}): Promise<ConnectionEnd> {
    return this.#waitFor("the peer to close", options, () =>
      this.#end === "open" ? undefined : { value: this.#end },
    );
  }

  /** Says "no more bytes" and goes on reading. */
  halfClose(): void {
    this.#socket.end();
  }

  /** An orderly close of both directions, in the middle of whatever was being sent. */
  close(): void {
    this.#socket.destroy();
  }

  /** A TCP reset: unsent and unread bytes are thrown away on both sides. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #waitFor<Value>(
    what: string,
    { timeoutMs = 20_000 }: WaitOptions,
    look: () => { readonly value: Value } | undefined,
  ): Promise<Value> {
    const found = async (): Promise<Value> => {
      for (;;) {
        // Taken before looking, so that what arrives while we look is not missed.
        const changed = this.#changed.promise;
        const result = look();
        if (result !== undefined) return result.value;
        await changed;
      }
    };
    return within(found(), { what, timeoutMs });
  }

  #finish(end: ConnectionEnd): void {
    if (this.#end === "open") this.#end = end;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers<undefined>();
  }
}

/** One request on a connection of its own: head, body (sent as it is), final answer. */
export async function rawRequest(
  address: RawAddress,
  head: RawRequestHead,
  body: Uint8Array | string = "",
): Promise<RawResponse> {
  using connection = await RawConnection.open(address);
  await connection.sendHead(head);
  if (body.length > 0) await connection.write(body);
  return await connection.answer();
}
