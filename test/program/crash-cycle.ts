import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { expect } from "vitest";

import { type HeaderLine, RawConnection, rawRequest } from "../support/raw-http.ts";
import { patternBytes, patternChunks, SeededRandom } from "../support/seeded.ts";
import type { ServerProcess } from "../support/server-process.ts";

/*
 * A crash at any moment: the client knows the highest offset it was ever told, and afterwards the
 * server must have at least those bytes, unchanged, and go on from them to the end.
 */
const MiB = 1024 * 1024;

/** How a server is brought down without warning, and what it takes to bring it up again. */
export interface Crash {
  readonly server: ServerProcess;
  readonly crash: (server: ServerProcess) => Promise<unknown>;
  readonly recover: (server: ServerProcess) => Promise<unknown>;
}

export interface CrashCampaign extends Crash {
  /** As in "kill -9". */
  readonly name: string;
  readonly seed: number;
  readonly cycles: number;
  /** Past this the campaign stops early and says how many cycles it got to. */
  readonly budgetMs: number;
}

/** A count from the environment, for long runs by hand. */
export function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} is no count: ${text}`);
  return value;
}

/** Runs the cycles and prints what they met. The first lost byte fails it. */
export async function runCrashCampaign(campaign: CrashCampaign): Promise<void> {
  const { name, seed, cycles, budgetMs, server } = campaign;
  const moments = new Map<Moment, number>();
  const startedMs = performance.now();
  let done = 0;
  for (; done < cycles && performance.now() - startedMs < budgetMs; done += 1) {
    // Each cycle has a generator of its own, so that its timing cannot shift the next one's.
    const cycle = new Cycle(campaign, new SeededRandom(seed + done));
    const moment = await cycle.run().catch((error: unknown) => {
      const log = server.logLines.slice(-20).join("\n");
      throw new Error(`cycle ${done} of seed ${seed} failed\n${log}`, { cause: error });
    });
    moments.set(moment, (moments.get(moment) ?? 0) + 1);
  }
  const met = Array.from(moments, ([moment, count]) => `${count} ${moment}`).join(", ");
  console.log(
    `${name}: seed ${seed}, n = ${done}, no acknowledged byte lost (crashed: ${met}); ` +
      `95 % upper bound ${(3 / done).toFixed(3)} a crash`,
  );
  const middle = moments.get("in the middle") ?? 0;
  expect(middle, "no crash met an upload in the middle").toBeGreaterThan(0);
}

interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

function recordFrom(body: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(body.toString());
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${body.toString()}`);
  return { ...value };
}

interface Upload {
  readonly id: string;
  readonly seed: number;
  readonly length: number;
  /** The highest offset any answer named. */
  acknowledged: number;
}

interface Standing {
  readonly offset: number;
  readonly crc32: unknown;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** What was still the case when the server died, for the closing line. */
type Moment = "before any byte was acknowledged" | "in the middle" | "after completion";

/** One upload, one crash, and the rest of the upload after it. */
class Cycle {
  readonly #crash: Crash;
  readonly #random: SeededRandom;

  constructor(crash: Crash, random: SeededRandom) {
    this.#crash = crash;
    this.#random = random;
  }

  get #server(): ServerProcess {
    return this.#crash.server;
  }

  async run(): Promise<Moment> {
    const upload = await this.#start();
    const early = await this.#uploadUntilKilled(upload);
    const { acknowledged } = upload;
    await this.#crash.recover(this.#server);

    const local = patternBytes({ seed: upload.seed, length: upload.length });
    const { offset, crc32: told } = await this.#standing(upload);
    expect(offset, "an acknowledged byte is gone").toBeGreaterThanOrEqual(acknowledged);
    expect(offset).toBeLessThanOrEqual(upload.length);
    const expected = crc32(local.subarray(0, offset)).toString(16).padStart(8, "0");
    expect(told, `the bytes up to ${offset} are not the ones sent`).toBe(expected);

    const handle = await this.#appendAll(upload, offset);
    if (early !== undefined) expect(handle, "a replay differs").toBe(early);
    const stored = await this.#download(handle).catch((error: unknown) => {
      throw new Error("acknowledged bytes cannot be read", { cause: error });
    });
    expect(sha256(stored)).toBe(sha256(local));
    if (early !== undefined) return "after completion";
    return acknowledged === 0 ? "before any byte was acknowledged" : "in the middle";
  }

  async #start(): Promise<Upload> {
    // From inside the inline limit to several checkpoints.
    const length = this.#random.integer(
      1,
      this.#random.pick([16 * 1024, 4 * MiB, 24 * MiB, 48 * MiB]),
    );
    const query = `file_name=killed.pdf&file_length=${length}&file_type=application%2Fpdf`;
    const { status, json } = await this.#ask("POST", `${this.#server.appId}/uploads?${query}`);
    expect(status, JSON.stringify(json)).toBe(200);
    return { id: String(json.id), seed: this.#random.word(), length, acknowledged: 0 };
  }

  /** Uploads until the kill; answers the handle when the upload was faster. */
  async #uploadUntilKilled(upload: Upload): Promise<string | undefined> {
    const done = new AbortController();
    const watching = this.#watch(upload, done.signal);
    let killing = false;
    let failure: unknown;
    const uploading = this.#appendAll(upload, 0).catch((error: unknown) => {
      // After the kill every failure is expected; before it none is.
      if (!killing) failure = error;
      return undefined;
    });
    await sleep(this.#random.integer(0, this.#random.pick([20, 150, 600])));
    killing = true;
    await this.#crash.crash(this.#server);
    done.abort();
    await watching;
    const handle = await uploading;
    if (failure !== undefined)
      throw new Error("an append failed before the kill", { cause: failure });
    return handle;
  }

  /** Asks while bytes flow: every offset that was told counts as acknowledged too. */
  async #watch(upload: Upload, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The kill ends this request as it ends every other.
      const seen = await this.#standing(upload).catch(() => undefined);
      if (seen !== undefined) upload.acknowledged = Math.max(upload.acknowledged, seen.offset);
      await sleep(5);
    }
  }

  /** Sends in pieces until the upload is whole, and answers the handle. */
  async #appendAll(upload: Upload, from: number): Promise<string> {
    for (let offset = from; ;) {
      const rest = upload.length - offset;
      const to =
        offset +
        (this.#random.fraction() < 0.5 ? rest : this.#random.integer(Math.min(1, rest), rest));
      const answer = await this.#append(upload, offset, to);
      if (answer === undefined) throw new Error("the connection ended without an answer");
      if (answer.status !== 200) throw new Error(`append: ${JSON.stringify(answer)}`);
      offset = to;
      upload.acknowledged = Math.max(upload.acknowledged, to);
      if (typeof answer.json.h === "string") return answer.json.h;
      expect(answer.json.file_offset).toBe(to);
    }
  }

  /** One append of [from, to); undefined when the connection ended without an answer. */
  async #append(upload: Upload, from: number, to: number): Promise<Answer | undefined> {
    using connection = await RawConnection.open(this.#address());
    await connection.sendHead({
      method: "POST",
      path: `/v21.0/${upload.id}`,
      headers: [
        ["Authorization", `OAuth ${this.#server.token}`],
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

  async #standing(upload: Upload): Promise<Standing> {
    const { status, json } = await this.#ask("GET", `${upload.id}&fields=crc32`);
    if (status !== 200) throw new Error(`status: ${status} ${JSON.stringify(json)}`);
    return { offset: Number(json.file_offset), crc32: json.crc32 };
  }

  async #download(handle: string): Promise<Buffer> {
    const published = await this.#ask(
      "POST",
      `${this.#server.appId}/files`,
      `handle=${encodeURIComponent(handle)}`,
    );
    expect(published.status, JSON.stringify(published.json)).toBe(200);
    const response = await fetch(`${this.#server.url}/v21.0/${String(published.json.id)}/content`, {
      headers: { Authorization: `OAuth ${this.#server.token}` },
    });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }

  async #ask(method: string, path: string, body = ""): Promise<Answer> {
    const headers: HeaderLine[] = [["Authorization", `OAuth ${this.#server.token}`]];
    if (method === "POST") {
      headers.push(["Content-Type", "application/x-www-form-urlencoded"]);
      headers.push(["Content-Length", `${Buffer.byteLength(body)}`]);
    }
    const response = await rawRequest(
      this.#address(),
      { method, path: `/v21.0/${path}`, headers },
      body,
    );
    return { status: response.status, json: recordFrom(response.body) };
  }

  #address(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.#server.port };
  }
}
