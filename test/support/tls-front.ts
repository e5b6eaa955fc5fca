import { once } from "node:events";
import { connect } from "node:net";
import { createServer, type Server } from "node:tls";
import type { Certificate } from "./certificates.ts";

/** Ends TLS before a server, and passes every byte on. */
export class TlsFront {
  readonly url: string;
  readonly #server: Server;
  #received = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `https://localhost:${port}`;
  }

  static async start(server: URL, certificate: Certificate): Promise<TlsFront> {
    const listener = createServer({ ...certificate, ALPNProtocols: ["http/1.1"] });
    listener.listen({ host: "localhost", port: 0 });
    await once(listener, "listening");
    const address = listener.address();
    if (address === null || typeof address === "string") throw new Error("no TCP address");
    const front = new TlsFront(listener, address.port);
    listener.on("secureConnection", (outer) => {
      const inner = connect({ host: server.hostname, port: Number(server.port) });
      outer.on("data", (bytes: Buffer) => {
        front.#received += bytes.length;
      });
      outer.pipe(inner).pipe(outer);
      const end = (): void => {
        outer.destroy();
        inner.destroy();
      };
      for (const socket of [outer, inner]) socket.on("error", end).on("close", end);
    });
    // A client that does not like the certificate hangs up.
    listener.on("tlsClientError", () => undefined);
    return front;
  }

  /** Bytes that clients sent inside TLS. */
  get received(): number {
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }
}
