import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, it, type TestContext } from "vitest";

import { eventually } from "../support/eventually.ts";
import { type HeaderLine, RawConnection, rawRequest } from "../support/raw-http.ts";
import { firstStrangeByte, patternBytes, patternChunks } from "../support/seeded.ts";
import { ServerProcess, type ServerProcessOptions } from "../support/server-process.ts";
import { mountOrSkip, volumeOrSkip } from "../support/small-volume.ts";
import { runHawser } from "./hawser-command.ts";

const MiB = 1024 * 1024;

let directory: string;

beforeAll(async () => {
  const made = await mkdtemp(join(tmpdir(), "hawser-operation-"));
  directory = made;
  return () => rm(made, { recursive: true, force: true });
});

async function startServer(options: ServerProcessOptions, context: TestContext) {
  const server = await ServerProcess.start(options);
  context.onTestFinished(() => server.remove());
  return server;
}

interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

function addressOf({ port }: ServerProcess): { readonly host: string; readonly port: number } {
  return { host: "127.0.0.1", port };
}

function tokenHeader({ token }: ServerProcess): HeaderLine {
  return ["Authorization", `OAuth ${token}`];
}

function recordFrom(body: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${body.toString()}`);
  return { ...value };
}

async function ask(
  server: ServerProcess,
  { method, path, form = "" }: { method: string; path: string; form?: string },
): Promise<Answer> {
  const type: HeaderLine[] = [
    ["Content-Type", "application/x-www-form-urlencoded"],
    ["Content-Length", `${Buffer.byteLength(form)}`],
  ];
  const headers = [tokenHeader(server), ...(method === "POST" ? type : [])];
  const head = { method, path: `/v21.0/${path}`, headers };
  const response = await rawRequest(addressOf(server), head, form);
  return { status: response.status, json: recordFrom(response.body) };
}

async function startUpload(server: ServerProcess, length: number): Promise<string> {
  const query = `file_name=a.pdf&file_length=${length}&file_type=application%2Fpdf`;
  const path = `${server.appId}/uploads?${query}`;
  const { status, json } = await ask(server, { method: "POST", path });
  expect(status, JSON.stringify(json)).toBe(200);
  return String(json.id);
}

async function standing(server: ServerProcess, id: string): Promise<Answer["json"]> {
  const { status, json } = await ask(server, { method: "GET", path: `${id}&fields=crc32` });
  expect(status, JSON.stringify(json)).toBe(200);
  return json;
}

interface Piece {
  readonly id: string;
  readonly seed: number;
  readonly from: number;
  readonly length: number;
}

async function openAppend(server: ServerProcess, piece: Piece): Promise<RawConnection> {
  const connection = await RawConnection.open(addressOf(server));
  const headers: HeaderLine[] = [
    tokenHeader(server),
    ["file_offset", `${piece.from}`],
    ["Content-Length", `${piece.length - piece.from}`],
  ];
  await connection.sendHead({ method: "POST", path: `/v21.0/${piece.id}`, headers });
  return connection;
}

/** Everything from `from` to the upload's end in one request. */
async function appendRest(server: ServerProcess, piece: Piece): Promise<Answer> {
  using connection = await openAppend(server, piece);
  const { seed, from: start, length } = piece;
  await connection.writeWhileTaken(patternChunks({ seed, start, length: length - start }), {
    untilAnswered: true,
  });
  const { status, body } = await connection.answer();
  return { status, json: recordFrom(body) };
}

/** Everything that is left, as soon as room is seen: it is looked for once a second at most. */
async function appendOnceThereIsRoom(
  server: ServerProcess,
  piece: Omit<Piece, "from">,
): Promise<Answer> {
  return eventually(
    async () => {
      const { file_offset: from } = await standing(server, piece.id);
      const answer = await appendRest(server, { ...piece, from: Number(from) });
      return answer.status === 507 ? undefined : answer;
    },
    { what: "the room to be seen", timeoutMs: 60_000 },
  );
}

async function download(server: ServerProcess, handle: string): Promise<Buffer> {
  const form = `handle=${encodeURIComponent(handle)}`;
  const published = await ask(server, { method: "POST", path: `${server.appId}/files`, form });
  expect(published.status, JSON.stringify(published.json)).toBe(200);
  const response = await fetch(`${server.url}/v21.0/${String(published.json.id)}/content`, {
    headers: [["Authorization", `OAuth ${server.token}`]],
  });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

const crcOf = (bytes: Uint8Array) => crc32(bytes).toString(16).padStart(8, "0");

describe("the data directory", () => {
  it("belongs to one server: a second one says so and ends, the first lives", async (context) => {
    const server = await startServer({}, context);
    const data = ["--data", server.dataDirectory];
    const second = await runHawser(["serve", "--port", "0", ...data], {
      stateDirectory: directory,
    });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("Another process is using the data directory");
    expect(second.stderr).toContain(server.dataDirectory);
    expect(second.stderr).not.toMatch(/^\s+at /m);
    expect(server.running).toBe(true);
    await startUpload(server, 10);
  });

  it("that cannot be written to is told so", async (context) => {
    const volume = await volumeOrSkip(MiB, context);
    context.onTestFinished(() => volume.remove());
    await volume.makeReadOnly();
    const place = volume.mountPoint;
    const serve = ["serve", "--port", "0", "--data", place];
    const end = await runHawser(serve, { stateDirectory: directory });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(`The data directory ${place} is not writable (EROFS).`);
    expect(end.stderr).not.toMatch(/^\s+at /m);
  });
});

it("a full disk: 507 with the true offset, and the upload ends once there is room", async (context) => {
  const place = await mountOrSkip(24 * MiB, context);
  const server = await startServer({ dataDirectory: place }, context);
  // The catalog takes 8 MiB, most of it set aside: 16 are left now, and 8 with the ballast.
  const length = 12 * MiB;
  const id = await startUpload(server, length);
  const ballast = join(place, "ballast");
  await writeFile(ballast, Buffer.alloc(8 * MiB, 1));
  const pid = server.pid;

  const refused = await appendRest(server, { id, seed: 7, from: 0, length });
  expect(refused.status, JSON.stringify(refused.json)).toBe(507);
  const { file_offset: offset, crc32: told } = await standing(server, id);
  if (typeof offset !== "number") throw new Error("no offset");
  expect(offset).toBeGreaterThan(0);
  expect(told).toBe(crcOf(patternBytes({ seed: 7, length: offset })));
  const message = expect.stringContaining(` ${offset} bytes are stored`) as string;
  expect(refused.json).toMatchObject({ error: { message }, debug_info: { message } });
  expect(server.pid).toBe(pid);

  await rm(ballast);
  const done = await appendOnceThereIsRoom(server, { id, seed: 7, length });
  expect(done.status, JSON.stringify(done.json)).toBe(200);
  const bytes = await download(server, String(done.json.h));
  expect(bytes.length).toBe(length);
  expect(firstStrangeByte(bytes, { seed: 7 })).toBeUndefined();
  expect(server.pid).toBe(pid);
  console.log(`a full disk: 507 at ${offset} of ${length}`);
}, 90_000);

it("room that is promised to one upload is not promised to another", async (context) => {
  const place = await mountOrSkip(40 * MiB, context);
  const server = await startServer({ dataDirectory: place }, context);
  const query = (length: number): string =>
    `${server.appId}/uploads?file_name=a.pdf&file_length=${length}&file_type=application%2Fpdf`;
  // The catalog takes 8 of the 40 MiB; 2 % stay free.
  expect(await ask(server, { method: "POST", path: query(60 * MiB) })).toMatchObject({
    status: 507,
  });
  const first = await ask(server, { method: "POST", path: query(24 * MiB) });
  expect(first.status).toBe(200);
  const refused = await ask(server, { method: "POST", path: query(12 * MiB) });
  expect(refused).toMatchObject({ status: 507, json: { error: { code: 2, is_transient: true } } });
  expect((await ask(server, { method: "DELETE", path: String(first.json.id) })).status).toBe(200);
  await eventually(
    async () =>
      (await ask(server, { method: "POST", path: query(12 * MiB) })).status === 200
        ? true
        : undefined,
    { what: "the room of the cancelled upload" },
  );
});

it("an upload does not go on into the last free bytes", async (context) => {
  const place = await mountOrSkip(32 * MiB, context);
  const extraArguments = ["--soft-room-bytes", "0", "--hard-room-bytes", `${14 * MiB}`];
  const server = await startServer({ dataDirectory: place, extraArguments }, context);
  const length = 12 * MiB;
  const id = await startUpload(server, length);
  const ballast = join(place, "ballast");
  await writeFile(ballast, Buffer.alloc(12 * MiB, 1));
  // Until the last bytes have been looked for again.
  await sleep(3_000);
  const refused = await appendRest(server, { id, seed: 8, from: 0, length });
  expect(refused.status, JSON.stringify(refused.json)).toBe(507);
  await rm(ballast);
  const done = await appendOnceThereIsRoom(server, { id, seed: 8, length });
  expect(done.status, JSON.stringify(done.json)).toBe(200);
}, 90_000);

it("SIGTERM commits the append in flight, and the process ends with 0", async (context) => {
  const server = await startServer({}, context);
  const length = 8 * MiB;
  const id = await startUpload(server, length);
  using connection = await openAppend(server, { id, seed: 9, from: 0, length });
  await connection.writeWhileTaken(patternChunks({ seed: 9, length: 3 * MiB }));
  await eventually(
    async () => ((await standing(server, id)).file_offset === 3 * MiB ? true : undefined),
    { what: "the first checkpoint" },
  );
  await connection.write(patternBytes({ seed: 9, start: 3 * MiB, length: MiB }));
  // Long enough to be read, too short for the next checkpoint: only the drain can commit this.
  await sleep(700);

  const startedMs = performance.now();
  const end = await server.terminate();
  const drainMs = performance.now() - startedMs;
  expect(end).toEqual({ code: 0, signal: null });
  expect(drainMs).toBeLessThan(10_000);
  const answer = await connection.answer();
  expect(answer.status).toBe(503);
  expect(answer.body.toString()).toContain(`${4 * MiB} bytes are stored`);

  await server.restart();
  const after = await standing(server, id);
  expect(after.file_offset).toBe(4 * MiB);
  expect(after.crc32).toBe(crcOf(patternBytes({ seed: 9, length: 4 * MiB })));
  console.log(`SIGTERM: drained in ${Math.round(drainMs)} ms`);
});

it("the token of the first start is shown once, and a later start says where it is", async (context) => {
  const environment = { HAWSER_TOKEN: "" };
  const server = await startServer({ environment }, context);
  const path = join(server.dataDirectory, "local-credentials.json");
  const { token } = JSON.parse(await readFile(path, "utf8")) as { token: string };
  const untilSaid = (line: string) =>
    eventually(() => server.logLines.includes(line) || undefined, { what: line });
  await untilSaid(`  token   ${token}`);
  await untilSaid("Or upload a file of yours:  npx hawser put FILE");
  const before = server.logLines.length;
  await server.restart();
  await untilSaid(`the token of the first start is in ${path}`);
  expect(server.logLines.slice(before).join("\n")).not.toContain(token);
});

it("no token is in any log line", async (context) => {
  const mark = "MARKEDTOKEN";
  const token = `${mark}good0123456789abcdef0123456789`;
  const appSecret = `${mark}secret0123456789abcdef`;
  const extraArguments = ["--log-level", "trace"];
  const server = await startServer({ token, appSecret, extraArguments }, context);
  const { appId } = server;
  const address = addressOf(server);
  const create = `/v21.0/${appId}/uploads?file_name=a.pdf&file_length=5&file_type=application%2Fpdf`;
  const send = async (path: string, headers: readonly HeaderLine[], body = "") => {
    const length: HeaderLine = ["Content-Length", `${body.length}`];
    return await rawRequest(address, { method: "POST", path, headers: [...headers, length] }, body);
  };
  const form: HeaderLine = ["Content-Type", "application/x-www-form-urlencoded"];
  const json: HeaderLine = ["Content-Type", "application/json"];
  const statuses: number[] = [];
  for (const each of [token, `${mark}wrong`, `${appId}|${appSecret}`]) {
    const encoded = encodeURIComponent(each);
    const answers = [
      await send(`${create}&access_token=${encoded}`, []),
      await send(create, [["Authorization", `OAuth ${each}`]]),
      await send(create, [["Authorization", `Bearer ${each}`]]),
      await send(create, [form], `access_token=${encoded}`),
      await send(create, [json], JSON.stringify({ access_token: each })),
      await send(`/v21.0/${appId}/files`, [form], `access_token=${encoded}&handle=${mark}`),
      await send(`/v21.0/nothing?access_token=${encoded}`, []),
      await send(`/elsewhere?access_token=${encoded}`, [["Authorization", `OAuth ${each}`]]),
      await send(create, [["Authorization", `Nonsense ${each}`]]),
    ];
    statuses.push(...answers.map(({ status }) => status));
    using broken = await RawConnection.open(address);
    await broken.write(`GET /?access_token=${encoded} HTTP/1.1\r\nAuthorization ${each}\r\n\r\n`);
    await broken.readResponse();
  }
  expect(statuses).toContain(200);
  expect(statuses).toContain(401);
  await server.terminate();
  expect(server.logLines.length).toBeGreaterThan(statuses.length);
  expect(server.logLines.filter((line) => line.includes(mark))).toEqual([]);
});
