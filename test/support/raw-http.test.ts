import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";

import { headerValues, type RawAddress, RawConnection, rawRequest } from "./raw-http.ts";
import { patternChunks } from "./seeded.ts";

const servers: { close: () => void }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<RawAddress> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<RawAddress> {
  return listen(createServer(handler));
}

describe("a raw connection", () => {
  it("sends header lines in the order, spelling and number given", async () => {
    const address = await serve((request, response) => {
      response.end(JSON.stringify(request.rawHeaders));
    });
    const answer = await rawRequest(address, {
      method: "GET",
      path: "/",
      headers: [
        ["hOsT", "example.test"],
        ["file_offset", "1"],
        ["FILE_OFFSET", "2"],
      ],
    });
    const expected = ["hOsT", "example.test", "file_offset", "1", "FILE_OFFSET", "2"];
    expect(JSON.parse(answer.body.toString())).toEqual(expected);
  });

  it("reads a chunked answer and the one that follows it on the same connection", async () => {
    const address = await serve((request, response) => {
      response.write(`first of ${request.url ?? ""}, `);
      response.end("second");
    });
    using connection = await RawConnection.open(address);
    await connection.sendHead({ method: "GET", path: "/a" });
    await connection.sendHead({ method: "GET", path: "/b" });
    expect((await connection.answer()).body.toString()).toBe("first of /a, second");
    expect((await connection.answer()).body.toString()).toBe("first of /b, second");
  });

  it("shows interim answers before the final one", async () => {
    const address = await serve((request, response) => {
      request.resume().on("end", () => response.end("done"));
    });
    using connection = await RawConnection.open(address);
    const headers = [["Expect", "100-continue"] as const, ["Content-Length", "4"] as const];
    await connection.sendHead({ method: "POST", path: "/", headers });
    expect((await connection.readInterim())?.status).toBe(100);
    await connection.write("body");
    const answer = await connection.answer();
    expect(answer.interim.map(({ status }) => status)).toEqual([100]);
    expect(answer.body.toString()).toBe("done");
  });

  it("says that there was no interim answer when the final one comes first", async () => {
    const server = createServer();
    server.on("checkContinue", (_request: IncomingMessage, response: ServerResponse) => {
      response.writeHead(401).end();
    });
    using connection = await RawConnection.open(await listen(server));
    const headers = [["Expect", "100-continue"] as const, ["Content-Length", "4"] as const];
    await connection.sendHead({ method: "POST", path: "/", headers });
    expect(await connection.readInterim()).toBeUndefined();
    expect((await connection.answer()).status).toBe(401);
  });

  it("keeps the answer to HEAD apart from a body that never comes", async () => {
    const address = await serve((_request, response) => {
      response.setHeader("Content-Length", "99").end();
    });
    const answer = await rawRequest(address, { method: "HEAD", path: "/" });
    expect(headerValues(answer, "content-length")).toEqual(["99"]);
    expect(answer.body).toHaveLength(0);
  });

  it("marks an answer that the peer broke off as not whole", async () => {
    const address = await serve((_request, response) => {
      response.setHeader("Content-Length", "99");
      response.write("half", () => response.destroy());
    });
    const answer = await rawRequest(address, { method: "GET", path: "/" });
    expect(answer.whole).toBe(false);
    expect(answer.body.toString()).toBe("half");
  });

  it("counts what a peer took before it stopped reading and closed", async () => {
    const address = await listen(
      createTcpServer((socket) => {
        socket.on("error", () => undefined);
        socket.once("data", () => socket.pause());
        setTimeout(() => socket.resetAndDestroy(), 300);
      }),
    );
    using connection = await RawConnection.open(address);
    const taken = await connection.writeWhileTaken(patternChunks({ seed: 1, length: 100_000_000 }));
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(50_000_000);
    expect(await connection.peerClosed()).toBe("reset");
  });

  it("can finish its side and still read the answer", async () => {
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.on("end", () => {
        const { length } = Buffer.concat(chunks).toString().split("\r\n\r\n")[1] ?? "";
        socket.end(`HTTP/1.1 200 OK\r\n\r\nread ${length}`);
      });
    });
    using connection = await RawConnection.open(await listen(server));
    await connection.sendHead({ method: "POST", path: "/" });
    await connection.write("12345");
    connection.halfClose();
    expect((await connection.answer()).body.toString()).toBe("read 5");
  });

  it("sends a chunked body piece by piece", async () => {
    const address = await serve((request, response) => {
      request.pipe(response);
    });
    using connection = await RawConnection.open(address);
    const headers = [["Transfer-Encoding", "chunked"] as const];
    await connection.sendHead({ method: "POST", path: "/", headers });
    await connection.sendChunk(Buffer.from("one "));
    await connection.sendChunk(Buffer.from("two"));
    await connection.sendLastChunk();
    expect((await connection.answer()).body.toString()).toBe("one two");
  });
});
