import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";

import { headerValue, RawConnection, rawRequest } from "../../../../test/support/raw-http.ts";
import type { Body, BodyEnding } from "../base/body.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { Exchange } from "./exchange.ts";
import { HttpServer } from "./server.ts";

const MiB = 1024 * 1024;
const host = "127.0.0.1";
const servers: HttpServer[] = [];

interface Line {
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
}

async function serve(
  handle: (exchange: Exchange) => Promise<void>,
): Promise<{ address: { host: string; port: number }; lines: Line[]; server: HttpServer }> {
  const lines: Line[] = [];
  const log = { ...silentLog, info: (facts: object) => void lines.push(facts as Line) };
  const server = new HttpServer({
    protocols: [
      { name: "test", matches: (exchange) => !exchange.path.startsWith("/other"), handle },
    ],
    fallback: (_, response) => {
      response.end("fallback");
    },
    log,
    clock: systemClock,
    random: systemRandom,
  });
  servers.push(server);
  const address = await server.listen(host, 0);
  return { address, lines, server };
}

async function readAll(body: Body): Promise<{ bytes: Buffer; ending: BodyEnding }> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const batch = await body.next();
    if (batch.kind === "end") return { bytes: Buffer.concat(chunks), ending: batch.ending };
    chunks.push(Buffer.concat(batch.chunks));
  }
}

/** Head and a part of the body in one write: where the one is seen, the other has arrived. */
const begunRequest = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello";

/** Answers with the body's length and ending. */
async function echo(exchange: Exchange): Promise<void> {
  const { bytes, ending } = await readAll(exchange.body());
  await exchange.respond({ status: 200, headers: {}, body: `${bytes.length} ${ending}` });
}

const refuse = (exchange: Exchange): Promise<void> =>
  exchange.respond({ status: 404, headers: { "X-Why": "test" }, body: "no such thing" });

function* pieces(count: number): Generator<Uint8Array> {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(64 * 1024, index);
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.drain()));
});

describe("a request's body", () => {
  it("is clean when all announced bytes came, and the connection stays open", async () => {
    const { address, lines } = await serve(echo);
    using connection = await RawConnection.open(address);
    for (let round = 0; round < 2; round += 1) {
      await connection.sendHead({
        method: "POST",
        path: "/a?t=s",
        headers: [["Content-Length", "5"]],
      });
      await connection.write("hello");
      const answer = await connection.answer();
      expect(answer.body.toString()).toBe("5 clean");
    }
    expect(lines.map(({ path, bytes }) => [path, bytes])).toEqual([
      ["/a", 5],
      ["/a", 5],
    ]);
  });

  it("is clean when chunked, however small the chunks", async () => {
    const { address } = await serve(echo);
    using connection = await RawConnection.open(address);
    await connection.sendHead({
      method: "POST",
      path: "/",
      headers: [["Transfer-Encoding", "chunked"]],
    });
    await connection.write("1\r\nx\r\n".repeat(3_000));
    await connection.sendLastChunk();
    expect((await connection.answer()).body.toString()).toBe("3000 clean");
  });

  it("gives many small pieces in few batches, and loses none of them", async () => {
    const batches: number[] = [];
    const { address } = await serve(async (exchange) => {
      const body = exchange.body();
      for (let batch = await body.next(); batch.kind === "bytes"; batch = await body.next()) {
        batches.push(batch.length);
      }
      await exchange.respond({ status: 200, headers: {}, body: "read" });
    });
    const pieces = 512;
    using connection = await RawConnection.open(address);
    await connection.sendHead({
      method: "POST",
      path: "/",
      headers: [["Content-Length", `${pieces * 4096}`]],
    });
    for (let piece = 0; piece < pieces; piece += 1)
      await connection.write(Buffer.alloc(4096, piece));
    expect((await connection.answer()).body.toString()).toBe("read");
    expect(batches.reduce((sum, length) => sum + length, 0)).toBe(pieces * 4096);
    expect(batches.length).toBeLessThan(pieces / 4);
  });

  it("gathers less each when many hold much together, and loses nothing", async () => {
    const bodies = 48;
    const length = 2 * 1024 ** 2;
    const first = Promise.withResolvers<undefined>();
    let waiting = 0;
    const { address } = await serve(async (exchange) => {
      const body = exchange.body();
      let [bytes, batch] = [0, await body.next()];
      waiting += 1;
      if (waiting === bodies) first.resolve(undefined);
      await first.promise;
      for (; batch.kind === "bytes"; batch = await body.next()) bytes += batch.length;
      await exchange.respond({ status: 200, headers: {}, body: `${bytes} ${batch.ending}` });
    });
    const answers = Array.from({ length: bodies }, async () => {
      using connection = await RawConnection.open(address);
      const headers: [string, string][] = [["Content-Length", `${length}`]];
      await connection.sendHead({ method: "POST", path: "/", headers });
      await connection.write(Buffer.alloc(length));
      return (await connection.answer()).body.toString();
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([`${length} clean`]));
  });

  it("does not keep the answer to a HEAD from a client that sends a body with it", async () => {
    const { address } = await serve(refuse);
    using connection = await RawConnection.open(address);
    const headers: [string, string][] = [["Content-Length", "200000"]];
    await connection.sendHead({ method: "HEAD", path: "/", headers });
    await connection.write(Buffer.alloc(70_000));
    await connection.peerClosed();
    expect(connection.received.toString()).toMatch(/^HTTP\/1\.1 404 /);
  });

  it("takes back the memory of a batch when the next one is asked for", async () => {
    const kept = Promise.withResolvers<readonly Uint8Array[]>();
    const { address } = await serve(async (exchange) => {
      const body = exchange.body();
      const batch = await body.next();
      await body.next();
      kept.resolve(batch.kind === "bytes" ? batch.chunks : []);
      await exchange.respond({ status: 200, headers: {}, body: "" });
    });
    using connection = await RawConnection.open(address);
    await connection.sendHead({
      method: "POST",
      path: "/",
      headers: [["Content-Length", "70000"]],
    });
    await connection.write(Buffer.alloc(70_000));
    const chunks = await kept.promise;
    expect(chunks.length).toBeGreaterThan(0);
    expect(chunks.every((chunk) => chunk.byteLength === 0)).toBe(true);
  });

  it("is cut when the client stops sending, and the client is told", async () => {
    const { address } = await serve(echo);
    using connection = await RawConnection.open(address);
    await connection.sendHead({ method: "POST", path: "/", headers: [["Content-Length", "9"]] });
    await connection.write("hello");
    connection.halfClose();
    expect((await connection.answer()).body.toString()).toBe("5 cut");
  });

  it("gives what arrived before the connection was lost, and aborts the signal", async () => {
    const seen = Promise.withResolvers<{ length: number; ending: BodyEnding; aborted: boolean }>();
    const begun = Promise.withResolvers<undefined>();
    const { address } = await serve(async (exchange) => {
      begun.resolve(undefined);
      const { bytes, ending } = await readAll(exchange.body());
      seen.resolve({ length: bytes.length, ending, aborted: exchange.signal.aborted });
      await exchange.respond({ status: 200, headers: {} });
    });
    using connection = await RawConnection.open(address);
    await connection.write(begunRequest);
    await begun.promise;
    connection.reset();
    expect(await seen.promise).toEqual({ length: 5, ending: "cut", aborted: true });
  });

  it("does not read on while nobody takes what was gathered, and loses nothing of it", async () => {
    const release = Promise.withResolvers<undefined>();
    const held = Promise.withResolvers<number>();
    const { address } = await serve(async (exchange) => {
      const body = exchange.body();
      const first = await body.next();
      await release.promise;
      const second = await body.next();
      held.resolve(second.kind === "bytes" ? second.length : 0);
      const { bytes, ending } = await readAll(body);
      const before = [first, second].map((each) => (each.kind === "bytes" ? each.length : 0));
      const total = bytes.length + before.reduce((sum, each) => sum + each, 0);
      await exchange.respond({ status: 200, headers: {}, body: `${total} ${ending}` });
    });
    using connection = await RawConnection.open(address);
    const length = String(32 * MiB);
    await connection.sendHead({ method: "POST", path: "/", headers: [["Content-Length", length]] });
    const sending = connection.writeWhileTaken(pieces(512));
    await delay(300);
    release.resolve(undefined);
    expect(await held.promise).toBeLessThan(2 * MiB + 128 * 1024);
    await sending;
    expect((await connection.answer()).body.toString()).toBe(`${length} clean`);
  });
});

describe("an early refusal", () => {
  it("is seen whole by the client, and only a bounded part of the body is read", async () => {
    const { address } = await serve(refuse);
    using connection = await RawConnection.open(address);
    const length = String(512 * MiB);
    await connection.sendHead({ method: "POST", path: "/", headers: [["Content-Length", length]] });
    const taken = await connection.writeWhileTaken(pieces(8192));
    // What the kernel's buffers of both sides hold comes on top of what is read.
    expect(taken).toBeLessThan(16 * MiB);
    const answer = await connection.answer();
    expect(answer.status).toBe(404);
    expect(headerValue(answer, "connection")).toBe("close");
    expect(answer.body.toString()).toBe("no such thing");
  });

  it("closes at once when the client waits for 100 Continue", async () => {
    const { address } = await serve(refuse);
    using connection = await RawConnection.open(address);
    const headers = [
      ["Content-Length", "100"],
      ["Expect", "100-continue"],
    ] as const;
    await connection.sendHead({ method: "POST", path: "/", headers });
    expect((await connection.readInterim())?.status).toBeUndefined();
    expect((await connection.answer()).status).toBe(404);
    expect(await connection.peerClosed({ timeoutMs: 1_500 })).toBe("ended");
  });

  it("says 100 Continue when the body is asked for", async () => {
    const { address } = await serve(echo);
    using connection = await RawConnection.open(address);
    const headers = [
      ["Content-Length", "5"],
      ["Expect", "100-continue"],
    ] as const;
    await connection.sendHead({ method: "POST", path: "/", headers });
    expect((await connection.readInterim())?.status).toBe(100);
    await connection.write("hello");
    expect((await connection.answer()).body.toString()).toBe("5 clean");
  });
});

describe("the server", () => {
  it("answers what is not HTTP, and headers that are too large", async () => {
    const { address } = await serve(echo);
    using connection = await RawConnection.open(address);
    await connection.write("nonsense\r\n\r\n");
    const answer = await connection.answer();
    expect(answer.status).toBe(400);
    expect(answer.body.toString()).toContain('"code":100');
    const large = [["X-Large", "x".repeat(40_000)]] as const;
    expect((await rawRequest(address, { method: "GET", path: "/", headers: large })).status).toBe(
      431,
    );
  });

  it.for(["/", "/other"])(
    "answers all that a client asked before it finished its side: %s",
    async (path) => {
      const { address } = await serve(async (exchange) => {
        await delay(50);
        await exchange.respond({ status: 200, headers: {}, body: "fallback" });
      });
      using connection = await RawConnection.open(address);
      await connection.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(3));
      connection.halfClose();
      for (let asked = 0; asked < 3; asked += 1) {
        expect((await connection.answer()).body.toString()).toBe("fallback");
      }
      expect(await connection.peerClosed()).toBe("ended");
    },
  );

  it.for([
    ["http://upload.example/a/b?c=http://d/e", "/a/b", "c=http%3A%2F%2Fd%2Fe"],
    ["HTTPS://name:word@upload.example:8443/", "/", ""],
    ["http://upload.example", "/", ""],
    ["http://upload.example?c=d", "/", "c=d"],
    ["/http://upload.example/a", "/http://upload.example/a", ""],
    ["*", "*", ""],
  ] as const)("takes the path and query of the target %s", async ([target, path, query]) => {
    const { address } = await serve((exchange) =>
      exchange.respond({ status: 200, headers: {}, body: `${exchange.path} ${exchange.query}` }),
    );
    const answer = await rawRequest(address, { method: "OPTIONS", path: target });
    expect(answer.body.toString()).toBe(`${path} ${query}`);
  });

  it("hides what went wrong inside, and passes on what no protocol knows", async () => {
    const { address } = await serve(() => Promise.reject(new Error("secret")));
    const answer = await rawRequest(address, { method: "GET", path: "/" });
    expect(answer.status).toBe(500);
    expect(answer.body.toString()).not.toContain("secret");
    const other = await rawRequest(address, { method: "GET", path: "/other" });
    expect(other.body.toString()).toBe("fallback");
  });

  it("stops open bodies when it drains, and still answers them", async () => {
    const begun = Promise.withResolvers<undefined>();
    const { address, server } = await serve(async (exchange) => {
      begun.resolve(undefined);
      await echo(exchange);
    });
    using connection = await RawConnection.open(address);
    await connection.write(begunRequest);
    await begun.promise;
    const drained = server.drain();
    const answer = await connection.answer();
    expect(answer.body.toString()).toBe("5 stopped");
    expect(headerValue(answer, "connection")).toBe("close");
    connection.close();
    await drained;
  });
});
