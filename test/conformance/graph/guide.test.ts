import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";

import { eventually } from "../../support/eventually.ts";
import { makeRealFile, realFileKinds } from "../../support/real-files.ts";
import { firstStrangeByte, patternBytes } from "../../support/seeded.ts";
import { isRecord, type JsonRecord } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

/*
 * The guide's own lines, run by a real shell with the real curl. Only host, version, app, token and
 * file are filled in, and `-s` keeps the progress meter out of the output.
 */

const run = promisify(execFile);
const target = useGraphTarget();

interface CurlAnswer {
  /** Of every head that was printed, the interim ones first. */
  readonly statuses: readonly number[];
  readonly json: JsonRecord;
}

/** What `curl -i` printed: one or more heads and then the body. */
function parsePrinted(printed: string): CurlAnswer {
  const blocks = printed.split("\r\n\r\n");
  const statuses: number[] = [];
  let body = "";
  for (const block of blocks) {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(block)?.[1];
    if (status === undefined) body += block;
    else statuses.push(Number(status));
  }
  const json: unknown = JSON.parse(body);
  if (!isRecord(json)) throw new Error(`no JSON object: ${printed}`);
  return { statuses, json };
}

async function shell(line: string): Promise<CurlAnswer> {
  const { stdout } = await run("sh", ["-c", line], { timeout: 25_000, maxBuffer: 1 << 20 });
  return parsePrinted(stdout);
}

function base(): string {
  return `${target().api.url.href.replace(/\/$/, "")}/v21.0`;
}

interface FileToSend {
  readonly path: string;
  readonly name: string;
  readonly length: number;
  readonly type: string;
}

/** Step 1 of the guide. */
async function startSession({ name, length, type }: FileToSend): Promise<string> {
  const { appId, token } = target().api;
  const answer = await shell(
    `curl -s -i -X POST "${base()}/${appId}/uploads` +
      `?file_name=${name}&file_length=${length}&file_type=${type}&access_token=${token}"`,
  );
  expect(answer.statuses.at(-1), JSON.stringify(answer.json)).toBe(200);
  expect(answer.json.id).toMatch(/^upload:/);
  return String(answer.json.id);
}

/** Step 2 of the guide, with `data` as its --data-binary and `options` before the address. */
function uploadLine(id: string, { offset = 0, data = "", options = "" } = {}): string {
  return (
    `curl -s ${options} -i -X POST "${base()}/${id}"` +
    ` --header "Authorization: OAuth ${target().api.token}"` +
    ` --header "file_offset: ${offset}"` +
    ` --data-binary @${data}`
  );
}

/** The guide's way to ask for the offset after an interruption. */
async function whereWasI(id: string): Promise<number> {
  const { token } = target().api;
  const answer = await shell(
    `curl -s -i -X GET "${base()}/${id}" --header "Authorization: OAuth ${token}"`,
  );
  expect(answer.statuses).toEqual([200]);
  expect(Object.keys(answer.json).sort()).toEqual(["file_offset", "id"]);
  expect(answer.json.id).toBe(id);
  return Number(answer.json.file_offset);
}

async function contentOf(handle: unknown): Promise<Buffer> {
  const { api } = target();
  return api.content(await api.publish(String(handle)));
}

describe("the guide's curl lines", () => {
  let directory: string;
  let curlMissing: string | undefined;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "hawser-guide-"));
    await run("curl", ["--version"]).catch(() => (curlMissing = "curl is not on the PATH"));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function fileOf(
    context: TestContext,
    { seed, length }: { readonly seed: number; readonly length: number },
  ): Promise<FileToSend> {
    if (curlMissing !== undefined) context.skip(curlMissing);
    const name = `file-${seed}.pdf`;
    const path = join(directory, name);
    await writeFile(path, patternBytes({ seed, length }));
    return { path, name, length, type: "application/pdf" };
  }

  it("start an upload and send a small file, whose handle can be published", async (context) => {
    const file = await fileOf(context, { seed: 91, length: 12_345 });
    const id = await startSession(file);
    const answer = await shell(uploadLine(id, { data: file.path }));
    expect(answer.statuses.at(-1), JSON.stringify(answer.json)).toBe(200);
    expect(Object.keys(answer.json)).toEqual(["h"]);
    expect(firstStrangeByte(await contentOf(answer.json.h), { seed: 91 })).toBeUndefined();
  });

  it("send a large file, for which curl waits to be told to continue", async (context) => {
    const file = await fileOf(context, { seed: 92, length: 5_000_000 });
    const id = await startSession(file);
    const answer = await shell(uploadLine(id, { data: file.path }));
    expect(answer.statuses, JSON.stringify(answer.json)).toEqual([100, 200]);
    const content = await contentOf(answer.json.h);
    expect(content).toHaveLength(file.length);
    expect(firstStrangeByte(content, { seed: 92 })).toBeUndefined();
  });

  it("ask where an upload stands before, and after it is complete", async (context) => {
    const file = await fileOf(context, { seed: 93, length: 1000 });
    const id = await startSession(file);
    expect(await whereWasI(id)).toBe(0);
    await shell(uploadLine(id, { data: file.path }));
    expect(await whereWasI(id)).toBe(1000);
  });

  it("fail without the token in the header", async (context) => {
    const file = await fileOf(context, { seed: 94, length: 1000 });
    const id = await startSession(file);
    const answer = await shell(
      `curl -s -i -X POST "${base()}/${id}" --header "file_offset: 0" --data-binary @${file.path}`,
    );
    expect(answer.statuses.at(-1)).toBe(401);
    expect(await whereWasI(id)).toBe(0);
  });

  it("resume an interrupted upload from the point of interruption", async (context) => {
    const file = await fileOf(context, { seed: 95, length: 6_000_000 });
    const id = await startSession(file);
    // exec, so that the process this test started, and ends, is curl itself.
    // Slow enough for a store that makes bytes durable by time only now and then.
    const options = "--limit-rate 500K";
    const line = `exec ${uploadLine(id, { data: file.path, options })}`;
    const upload = spawn("sh", ["-c", line], { stdio: "ignore" });
    const ended = once(upload, "close");
    const flowing = async () => (await whereWasI(id)) || undefined;
    await eventually(flowing, { what: "the upload to flow", intervalMs: 50 });
    upload.kill("SIGKILL");
    await ended;

    // The last of what was sent may only arrive meanwhile, where it went to another node.
    const goOn = async (): Promise<CurlAnswer | undefined> => {
      const offset = await whereWasI(id);
      expect(offset).toBeGreaterThan(0);
      expect(offset).toBeLessThan(file.length);
      const rest = uploadLine(id, { offset, data: "-" });
      const told = await shell(`tail -c +${offset + 1} ${file.path} | ${rest}`);
      return told.statuses.at(-1) === 412 ? undefined : told;
    };
    const answer = await eventually(goOn, { what: "the rest to be taken", timeoutMs: 60_000 });
    expect(answer.statuses.at(-1), JSON.stringify(answer.json)).toBe(200);
    const content = await contentOf(answer.json.h);
    expect(content).toHaveLength(file.length);
    expect(firstStrangeByte(content, { seed: 95 })).toBeUndefined();
  }, 90_000);

  it.for(realFileKinds)("carry a real %s file unchanged", async (kind, context) => {
    if (curlMissing !== undefined) context.skip(curlMissing);
    const made = await makeRealFile(kind, directory);
    if (made.state === "missing") return context.skip(made.reason);
    const { path, name, mimeType: type, bytes } = made;
    const id = await startSession({ path, name, type, length: bytes.length });
    const answer = await shell(uploadLine(id, { data: path }));
    expect(answer.statuses.at(-1), JSON.stringify(answer.json)).toBe(200);
    expect((await contentOf(answer.json.h)).equals(bytes)).toBe(true);
  });
});
