import { crc32 } from "node:zlib";
import { describe, expect, it, type TestContext } from "vitest";

import { GraphApi, uploadPath } from "../conformance/graph/graph-api.ts";
import { offsetType, version } from "../conformance/tus/tus-api.ts";
import { eventually } from "../support/eventually.ts";
import {
  headerValue,
  RawConnection,
  type RawRequestHead,
  type RawResponse,
} from "../support/raw-http.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const address = ({ port }: ServerProcess) => ({ host: "127.0.0.1", port });

function apiOf(server: ServerProcess): GraphApi {
  const { address: url, appId, token } = server;
  return new GraphApi({ url, appId, token });
}

async function startServer(context: TestContext): Promise<ServerProcess> {
  const server = await ServerProcess.start();
  context.onTestFinished(() => server.remove());
  return server;
}

const crcOf = (bytes: Uint8Array) => crc32(bytes).toString(16).padStart(8, "0");

const dialects = ["graph", "tus", "ietf"] as const;
type Dialect = (typeof dialects)[number];

interface SlowAppend {
  readonly id: string;
  readonly seed: number;
  readonly dialect: Dialect;
  readonly connection: RawConnection;
  /** Bytes that were written to the socket before the signal. */
  readonly sent: number;
}

const length = 400_000;

/** The head of an append of all of the upload, which is the same one in each protocol. */
async function headOf(dialect: Dialect, api: GraphApi, id: string): Promise<RawRequestHead> {
  if (dialect === "graph") return api.appendHead(id, length);
  const { pathname: path } = new URL((await api.status(id, "url")).text("url"));
  const tus = { "Tus-Resumable": version, "Content-Type": offsetType };
  const ietf = { "Upload-Complete": "?1", "Content-Type": "application/partial-upload" };
  const fields = {
    Authorization: `Bearer ${api.token}`,
    "Upload-Offset": "0",
    "Content-Length": `${length}`,
    ...(dialect === "tus" ? tus : ietf),
  };
  return { method: "PATCH", path, headers: Object.entries(fields) };
}

async function slowAppend(api: GraphApi, server: ServerProcess, seed: number): Promise<SlowAppend> {
  const dialect = dialects[seed % dialects.length] ?? "graph";
  const id = await api.start({ file_length: length });
  const connection = await RawConnection.open(address(server));
  await connection.sendHead(await headOf(dialect, api, id));
  const sent = 1_000 + seed * 3_000;
  await connection.write(patternBytes({ seed, length: sent }));
  return { id, seed, dialect, connection, sent };
}

/** Where the upload stands, as the answer says in the protocol's words. */
function offsetTold(dialect: Dialect, answer: RawResponse): number {
  if (dialect !== "graph") return Number(headerValue(answer, "upload-offset"));
  return Number(/ (\d+) bytes are stored/.exec(answer.body.toString())?.[1]);
}

describe("SIGTERM while 50 slow appends are open", () => {
  it("ends with 0, tells each where it stands, and keeps what it told", async (context) => {
    const server = await startServer(context);
    const api = apiOf(server);
    const appends = await Promise.all(
      Array.from({ length: 50 }, (_, seed) => slowAppend(api, server, seed)),
    );
    // The last to be sent has been read once a status shows that the server is past them.
    await eventually(
      async () => {
        const offsets = await Promise.all(appends.map(({ id }) => api.offset(id)));
        return offsets.every((offset) => offset > 0) ? true : undefined;
      },
      { what: "a first checkpoint of each", timeoutMs: 25_000, intervalMs: 200 },
    );
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    const told = await Promise.all(
      appends.map(async ({ dialect, connection, sent }) => {
        const answer = await connection.answer();
        expect(answer.status, answer.body.toString()).toBe(503);
        expect(headerValue(answer, "retry-after")).toMatch(/^\d+$/);
        const stored = offsetTold(dialect, answer);
        expect(stored, `all that was sent in ${dialect}`).toBe(sent);
        connection.close();
        return stored;
      }),
    );
    await server.restart();
    const after = apiOf(server);
    for (const [index, { id, seed }] of appends.entries()) {
      const offset = told[index] ?? -1;
      const stored = patternBytes({ seed, length: offset });
      const status = await after.status(id, "crc32,status");
      expect(status.json).toMatchObject({
        file_offset: offset,
        crc32: crcOf(stored),
        status: "open",
      });
      const bytes = patternBytes({ seed, start: offset, length: length - offset });
      const done = await after.append({ id, offset, bytes });
      expect(Object.keys(done.json), done.body.toString()).toEqual(["h"]);
    }
  }, 90_000);
});

describe("appends pipelined on one connection", () => {
  it("are serialised: each is answered, and what was taken is one unbroken prefix", async (context) => {
    const server = await startServer(context);
    const api = apiOf(server);
    const bytes = patternBytes({ seed: 5, length: 100_000 });
    const id = await api.start({ file_length: bytes.length });
    const pieces = Array.from({ length: 10 }, (_, index) => index * 10_000).map((offset) => {
      const head =
        `POST ${uploadPath(id)} HTTP/1.1\r\nHost: a\r\nAuthorization: OAuth ${api.token}\r\n` +
        `file_offset: ${offset}\r\nContent-Length: 10000\r\n\r\n`;
      return Buffer.concat([Buffer.from(head), bytes.subarray(offset, offset + 10_000)]);
    });
    using connection = await RawConnection.open(address(server));
    await connection.write(Buffer.concat(pieces));
    const statuses: number[] = [];
    while (statuses.length < pieces.length) statuses.push((await connection.answer()).status);
    const stored = await api.status(id, "crc32,status");
    const offset = stored.number("file_offset");
    expect(stored.text("crc32")).toBe(crcOf(bytes.subarray(0, offset)));
    // Each newcomer asks the one before to let go, on one connection as on several; what was
    // taken is told as such, and the rest is sent back to the true offset.
    expect(statuses.filter((status) => ![200, 412, 503].includes(status))).toEqual([]);
    const taken = statuses.filter((status) => status === 200).length;
    expect(taken).toBeGreaterThan(0);
    expect(offset).toBeGreaterThanOrEqual(taken * 10_000);
    const rest = await api.append({ id, offset, bytes: bytes.subarray(offset) });
    expect(Object.keys(rest.json), rest.body.toString()).toEqual(["h"]);
    expect((await api.status(id, "crc32")).text("crc32")).toBe(crcOf(bytes));
  });
});
