import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { eventually } from "./eventually.ts";
import { RawConnection } from "./raw-http.ts";
import { firstStrangeByte, patternBytes } from "./seeded.ts";
import { type FaultPlan, seededPlan, TcpProxy } from "./tcp-proxy.ts";

/** Answers every byte with the same byte, and remembers how each connection ended. */
class EchoServer {
  readonly received: Buffer[] = [];
  readonly ends: string[] = [];
  readonly #server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const index = this.received.push(Buffer.alloc(0)) - 1;
    socket.on("data", (chunk: Buffer) => {
      this.received[index] = Buffer.concat([this.received[index] ?? Buffer.alloc(0), chunk]);
      socket.write(chunk);
    });
    socket.on("end", () => {
      this.ends[index] = "end";
      socket.end();
    });
    socket.on("error", () => (this.ends[index] = "reset"));
  });

  async listen(): Promise<{ host: string; port: number }> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  close(): void {
    this.#server.close();
  }
}

describe("the TCP proxy", () => {
  let server: EchoServer;
  let proxy: TcpProxy;

  beforeEach(async () => {
    server = new EchoServer();
    proxy = await TcpProxy.start(await server.listen());
  });

  afterEach(async () => {
    await proxy.close();
    server.close();
  });

  async function through(plan: FaultPlan, length: number): Promise<RawConnection> {
    proxy.setPlan(plan);
    const connection = await RawConnection.open(proxy.address);
    await connection.write(patternBytes({ seed: 1, length }));
    return connection;
  }

  const receivedLength = (length: number) => (): true | undefined =>
    (server.received[0]?.length ?? 0) >= length ? true : undefined;

  it("carries bytes unchanged in both directions when nothing is to go wrong", async () => {
    using connection = await through(() => ({}), 300_000);
    const what = "the echo";
    await eventually(() => (connection.received.length === 300_000 ? true : undefined), { what });
    expect(firstStrangeByte(connection.received, { seed: 1 })).toBeUndefined();
    expect(proxy.connections[0]).toMatchObject({ toServerBytes: 300_000, happened: undefined });
  });

  it("cuts after exactly the bytes it was told", async () => {
    const toServer = { afterBytes: 12_345, fault: "close" } as const;
    using connection = await through(() => ({ toServer }), 100_000);
    await connection.peerClosed();
    await eventually(() => server.ends[0], { what: "the server to notice" });
    expect(server.received[0]).toHaveLength(12_345);
  });

  it("cuts the answer after exactly the bytes it was told", async () => {
    const toClient = { afterBytes: 7, fault: "close" } as const;
    using connection = await through(() => ({ toClient }), 1000);
    await connection.peerClosed();
    expect(connection.received).toHaveLength(7);
  });

  it("resets both sides", async () => {
    const toServer = { afterBytes: 10, fault: "reset" } as const;
    using connection = await through(() => ({ toServer }), 20);
    expect(await connection.peerClosed()).toBe("reset");
    expect(await eventually(() => server.ends[0], { what: "the server to notice" })).toBe("reset");
  });

  it("half-closes towards the server and still brings the answer back", async () => {
    const toServer = { afterBytes: 10, fault: "half-close" } as const;
    using connection = await through(() => ({ toServer }), 20);
    expect(await connection.peerClosed()).toBe("ended");
    expect(server.ends[0]).toBe("end");
    expect(connection.received).toHaveLength(10);
  });

  it("stalls with both sides still connected", async () => {
    const toServer = { afterBytes: 10, fault: "stall" } as const;
    using connection = await through(() => ({ toServer }), 20);
    await eventually(receivedLength(10), { what: "the bytes before the stall" });
    await connection.write("more");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.received[0]).toHaveLength(10);
    expect(connection.peerEnd).toBe("open");
    expect(server.ends[0]).toBeUndefined();
  });

  it("delays and slices without losing or reordering a byte", async () => {
    const toServer = { delayMs: 2, sliceLength: 100 };
    using connection = await through(() => ({ toServer }), 1000);
    await eventually(receivedLength(1000), { what: "all slices" });
    expect(firstStrangeByte(server.received[0] ?? Buffer.alloc(0), { seed: 1 })).toBeUndefined();
    expect(connection.peerEnd).toBe("open");
  });

  it("resets everything at once when told", async () => {
    using connection = await through(() => ({}), 10);
    await eventually(receivedLength(10), { what: "the bytes" });
    proxy.resetAll();
    expect(await connection.peerClosed()).toBe("reset");
  });

  it("stalls everything at once when told", async () => {
    using connection = await through(() => ({}), 10);
    await eventually(receivedLength(10), { what: "the bytes" });
    proxy.stallAll();
    await connection.write("more");
    // What was sent later arrives on a connection that is not stalled.
    using other = await through(() => ({}), 10);
    await eventually(() => server.received[1], { what: "the bytes of another" });
    expect(server.received[0]).toHaveLength(10);
    expect(connection.peerEnd).toBe("open");
    expect(other.peerEnd).toBe("open");
  });
});

describe("a seeded plan", () => {
  it("is the same for the same seed, whatever order it is asked in", () => {
    const options = { afterBytesMax: 1_000_000, failures: 5 };
    const first = seededPlan(42, options);
    const second = seededPlan(42, options);
    expect([4, 0, 3].map(second)).toEqual([4, 0, 3].map(first));
    expect(seededPlan(43, options)(0)).not.toEqual(first(0));
  });

  it("leaves the connections after the failures in peace", () => {
    expect(seededPlan(1, { afterBytesMax: 10, failures: 2 })(2)).toEqual({});
  });
});
