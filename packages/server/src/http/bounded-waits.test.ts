import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";

import { eventually } from "../../../../test/support/eventually.ts";
import { RawConnection } from "../../../../test/support/raw-http.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { Exchange } from "./exchange.ts";
import { HttpServer } from "./server.ts";

const MiB = 1024 * 1024;
const host = "127.0.0.1";
const servers: HttpServer[] = [];

/** Stands still until it is told to go on; what falls due runs in order. */
class HandClock implements Clock {
  readonly now = () => systemClock.now();
  readonly sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal);
  #time = 0;
  readonly #due = new Set<{ readonly at: number; readonly task: () => void }>();

  monotonic(): number {
    return this.#time;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#time + ms, task };
    this.#due.add(entry);
    return () => this.#due.delete(entry);
  }

  goOn(ms: number): void {
    const until = this.#time + ms;
    for (;;) {
      const [next] = [...this.#due].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#due.delete(next);
      this.#time = next.at;
      next.task();
    }
    this.#time = until;
  }
}

interface Serving {
  readonly clock: HandClock;
  readonly port: number;
}

async function serve(handle: (exchange: Exchange) => Promise<void>): Promise<Serving> {
  const clock = new HandClock();
  const matches = (exchange: Exchange) => !exchange.path.startsWith("/other");
  const server = new HttpServer({
    protocols: [{ name: "test", matches, handle }],
    fallback: (request, response) => {
      request.resume().once("end", () => response.end("fallback"));
    },
    log: silentLog,
    clock,
    random: systemRandom,
  });
  servers.push(server);
  const { port } = await server.listen(host, 0);
  return { clock, port };
}

/** A client that reads only when it is told to. */
class Reader {
  readonly socket: Socket;
  received = 0;
  closed = false;

  constructor(port: number) {
    this.socket = connect({ host, port });
    this.socket.on("data", (chunk: Buffer) => {
      this.received += chunk.length;
    });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.closed = true;
    });
  }

  static async ask(port: number, path: string): Promise<Reader> {
    const reader = new Reader(port);
    await once(reader.socket, "connect");
    reader.socket.pause();
    reader.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    return reader;
  }
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.drain()));
});

interface Download extends Serving {
  readonly length: number;
  /** Chunks handed to the connection so far. */
  readonly poured: () => number;
  readonly over: () => boolean;
}

async function serveDownload(chunkCount: number): Promise<Download> {
  const length = chunkCount * MiB;
  let [poured, over] = [0, false];
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; index < chunkCount; index += 1) {
        poured += 1;
        yield Buffer.alloc(MiB, index);
        await turn();
      }
    } finally {
      over = true;
    }
  }
  const serving = await serve((exchange) =>
    exchange.stream({ status: 200, headers: {}, length, chunks: chunks() }),
  );
  return { ...serving, length, poured: () => poured, over: () => over };
}

/** Until nothing moves any more: all buffers on the way are full. */
async function untilStill(download: Download): Promise<number> {
  let [last, stillFor] = [-1, 0];
  await eventually(
    () => {
      stillFor = download.poured() === last && last > 0 ? stillFor + 1 : 0;
      last = download.poured();
      return stillFor >= 10 ? true : undefined;
    },
    { what: "the buffers to be full" },
  );
  return last;
}

describe("a client that does not read", () => {
  it("is given up after a minute without progress, and its file is let go", async () => {
    const download = await serveDownload(64);
    const { clock, port } = download;
    const reader = await Reader.ask(port, "/file");
    await untilStill(download);
    clock.goOn(limits.readerSilentMsMax - 2_000);
    await turn();
    expect(download.over()).toBe(false);
    clock.goOn(3_000);
    await eventually(() => download.over() || undefined, { what: "the file to be let go" });
    reader.socket.resume();
    await eventually(() => reader.closed || undefined, { what: "the connection's end" });
    expect(reader.received).toBeLessThan(download.length);
  });

  it("is given up as well when all that is left is on its way", async () => {
    const body = Buffer.alloc(64 * MiB);
    let handled = false;
    const { clock, port } = await serve(async (exchange) => {
      await exchange.respond({ status: 200, headers: {}, body });
      handled = true;
    });
    const reader = await Reader.ask(port, "/whole");
    await eventually(() => handled || undefined, { what: "the answer" });
    clock.goOn(2_000);
    clock.goOn(limits.readerSilentMsMax);
    reader.socket.resume();
    await eventually(() => reader.closed || undefined, { what: "the connection's end" });
    expect(reader.received).toBeLessThan(body.length);
  });

  it("is not given up while it reads a little now and then", async () => {
    const download = await serveDownload(24);
    const { clock, port, length } = download;
    const reader = await Reader.ask(port, "/file");
    let rounds = 0;
    while (reader.received < length) {
      const before = await untilStill(download);
      clock.goOn(limits.readerSilentMsMax - 2_000);
      reader.socket.resume();
      const moved = () => download.poured() > before || download.over() || undefined;
      await eventually(moved, { what: "the next chunk", intervalMs: 1 });
      if (!download.over()) reader.socket.pause();
      else await eventually(() => reader.received >= length || undefined, { what: "the rest" });
      rounds += 1;
    }
    expect(rounds).toBeGreaterThan(2);
    expect(reader.closed).toBe(false);
    reader.socket.destroy();
  });
});

describe("the body of a request that no protocol knows", () => {
  const head = (length: number) =>
    ({ method: "POST", path: "/other", headers: [["Content-Length", `${length}`]] }) as const;
  const never = (): Promise<void> => Promise.reject(new Error("no protocol is asked"));

  it("must come in time, or the connection is ended", async () => {
    const { clock, port } = await serve(never);
    using connection = await RawConnection.open({ host, port });
    await connection.sendHead(head(9));
    await connection.write("hello");
    // Whatever is to happen to the one has happened when the other has its answer.
    using other = await RawConnection.open({ host, port });
    const askOther = async () => {
      await other.sendHead(head(0));
      await other.answer();
    };
    await askOther();
    clock.goOn(limits.fallbackBodyMsMax - 1);
    await askOther();
    expect(connection.peerEnd).toBe("open");
    clock.goOn(1);
    expect(await connection.peerClosed()).not.toBe("open");
    expect(connection.received.length).toBe(0);
  });

  it("that came in time is answered, and its connection stays", async () => {
    const { clock, port } = await serve(never);
    using connection = await RawConnection.open({ host, port });
    for (let round = 0; round < 2; round += 1) {
      await connection.sendHead(head(5));
      await connection.write("hello");
      expect((await connection.answer()).body.toString()).toBe("fallback");
      clock.goOn(limits.fallbackBodyMsMax + 1);
    }
    expect(connection.peerEnd).toBe("open");
  });
});
