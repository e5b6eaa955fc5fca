import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { beforeAll, expect, it } from "vitest";

import { type HeaderLine, RawConnection, rawRequest } from "../support/raw-http.ts";
import { patternBytes, patternChunks, SeededRandom } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

/*
 * kill -9 at any moment: the client knows the highest offset it was ever told, and after a restart
 * the server must have at least those bytes, unchanged, and go on from them to the end.
 * HAWSER_KILL_CYCLES sets the number of cycles, HAWSER_KILL_SEED repeats a run.
 */
const cycles = wholeNumber("HAWSER_KILL_CYCLES", 60);
const seed = wholeNumber("HAWSER_KILL_SEED", Date.now() % 2 ** 31);

/** Past this the campaign stops early and says how many cycles it got to. */
const budgetMs = 7 * 60_000;
const MiB = 1024 * 1024;

function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} is no count: ${text}`);
  return value;
}

let server: ServerProcess;

beforeAll(async () => {
  const started = await ServerProcess.start();
  server = started;
  return () => started.remove();
});

interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

async function ask(method: string, path: string, body = ""): Promise<Answer> {
  const headers: HeaderLine[] = [["Authorization", `OAuth ${server.token}`]];
  if (method === "POST") {
    headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
    headers.push(["Content-Length", `${Buffer.byteLength(body)}`]);
  }
  const response = await rawRequest(address(), { method, path: `/v21.0/${path}`, headers }, body);
  return { status: response.status, json: recordFrom(response.body) };
}

function recordFrom(body: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${body.toString()}`);
  return { ...value };
}

function address(): { readonly host: string; readonly port: number } {
  return { host: "127.0.0.1", port: server.port };
}

interface Upload {
  readonly id: string;
  readonly seed: number;
  readonly length: number;
  /** The highest offset any answer named. */
  acknowledged: number;
}

async function start(random: SeededRandom): Promise<Upload> {
  // From inside the inline limit to several checkpoints.
  const length = random.integer(1, random.pick([16 * 1024, 4 * MiB, 24 * MiB, 48 * MiB]));
  const query = `file_name=killed.pdf&file_length=${length}&file_type=application%2Fpdf`;
  const { status, json } = await ask("POST", `${server.appId}/uploads?${query}`);
  expect(status, JSON.stringify(json)).toBe(200);
  return { id: String(json.id), seed: random.word(), length, acknowledged: 0 };
}

/** One append of [from, to); undefined when the connection ended without an answer. */
async function append(upload: Upload, from: number, to: number): Promise<Answer | undefined> {
  using connection = await RawConnection.open(address());
  await connection.sendHead({
    method: "POST",
    path: `/v21.0/${upload.id}`,
    headers: [
      ["Authorization", `OAuth ${server.token}`],
      ["file_offset", `${from}`],
      ["Content-Length", `${to - from}`],
    ],
  });
  await connection.writeWhileTaken(
    patternChunks({ seed: upload.seed, start: from, length: to - from }),
    { untilAnswered: true },
  );
  const response = await connection.readResponse();
  if (response?.whole !== true) return undefined;
  return { status: response.status, json: recordFrom(response.body) };
}

/** Sends in pieces until the upload is whole, and answers the handle. */
async function appendAll(upload: Upload, from: number, random: SeededRandom): Promise<string> {
  for (let offset = from; ;) {
    const rest = upload.length - offset;
    const to = offset + (random.fraction() < 0.5 ? rest : random.integer(Math.min(1, rest), rest));
    const answer = await append(upload, offset, to);
    if (answer === undefined) throw new Error("the connection ended without an answer");
    if (answer.status !== 200) throw new Error(`append: ${JSON.stringify(answer)}`);
    offset = to;
    upload.acknowledged = Math.max(upload.acknowledged, to);
    if (typeof answer.json.h === "string") return answer.json.h;
    expect(answer.json.file_offset).toBe(to);
  }
}

interface Standing {
  readonly offset: number;
  readonly crc32: unknown;
}

async function standing(upload: Upload): Promise<Standing> {
  const { status, json } = await ask("GET", `${upload.id}&fields=crc32`);
  if (status !== 200) throw new Error(`status: ${status} ${JSON.stringify(json)}`);
  return { offset: Number(json.file_offset), crc32: json.crc32 };
}

/** Asks while bytes flow: every offset that was told counts as acknowledged too. */
async function watch(upload: Upload, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // The kill ends this request as it ends every other.
    const seen = await standing(upload).catch(() => undefined);
    if (seen !== undefined) upload.acknowledged = Math.max(upload.acknowledged, seen.offset);
    await sleep(5);
  }
}

/** Uploads until the kill; answers the handle when the upload was faster. */
async function uploadUntilKilled(
  upload: Upload,
  random: SeededRandom,
): Promise<string | undefined> {
  const done = new AbortController();
  const watching = watch(upload, done.signal);
  let killing = false;
  let failure: unknown;
  const uploading = appendAll(upload, 0, random).catch((error: unknown) => {
    // After the kill every failure is expected; before it none is.
    if (!killing) failure = error;
    return undefined;
  });
  await sleep(random.integer(0, random.pick([20, 150, 600])));
  killing = true;
  await server.kill9();
  done.abort();
  await watching;
  const handle = await uploading;
  if (failure !== undefined)
    throw new Error("an append failed before the kill", { cause: failure });
  return handle;
}

async function download(handle: string): Promise<Buffer> {
  const published = await ask(
    "POST",
    `${server.appId}/files`,
    `handle=${encodeURIComponent(handle)}`,
  );
  expect(published.status, JSON.stringify(published.json)).toBe(200);
  const response = await fetch(`${server.url}/v21.0/${String(published.json.id)}/content`, {
    headers: { Authorization: `OAuth ${server.token}` },
  });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What was still the case when the server died, for the closing line. */
type Moment = "before any byte was acknowledged" | "in the middle" | "after completion";

async function cycle(random: SeededRandom): Promise<Moment> {
  const upload = await start(random);
  const early = await uploadUntilKilled(upload, random);
  const { acknowledged } = upload;
  await server.restart();

  const local = patternBytes({ seed: upload.seed, length: upload.length });
  const { offset, crc32: told } = await standing(upload);
  expect(offset, "an acknowledged byte is gone").toBeGreaterThanOrEqual(acknowledged);
  expect(offset).toBeLessThanOrEqual(upload.length);
  const expected = crc32(local.subarray(0, offset)).toString(16).padStart(8, "0");
  expect(told, `the bytes up to ${offset} are not the ones sent`).toBe(expected);

  const handle = await appendAll(upload, offset, random);
  if (early !== undefined) expect(handle, "a replay differs").toBe(early);
  expect(sha256(await download(handle))).toBe(sha256(local));
  if (early !== undefined) return "after completion";
  return acknowledged === 0 ? "before any byte was acknowledged" : "in the middle";
}

it(`kill -9 loses no acknowledged byte (seed ${seed}, up to ${cycles} cycles)`, async () => {
  const moments = new Map<Moment, number>();
  const startedMs = performance.now();
  let done = 0;
  for (; done < cycles && performance.now() - startedMs < budgetMs; done += 1) {
    // Each cycle has a generator of its own, so that its timing cannot shift the next one's.
    const random = new SeededRandom(seed + done);
    const moment = await cycle(random).catch((error: unknown) => {
      const log = server.logLines.slice(-20).join("\n");
      throw new Error(`cycle ${done} of seed ${seed} failed\n${log}`, { cause: error });
    });
    moments.set(moment, (moments.get(moment) ?? 0) + 1);
  }
  const killed = Array.from(moments, ([moment, count]) => `${count} ${moment}`).join(", ");
  console.log(
    `kill -9: seed ${seed}, n = ${done}, no acknowledged byte lost (killed: ${killed}); ` +
      `95 % upper bound ${(3 / done).toFixed(3)} a kill`,
  );
  expect(moments.get("in the middle") ?? 0, "no kill met an upload in the middle").toBeGreaterThan(
    0,
  );
});
