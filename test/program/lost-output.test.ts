import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, beforeEach, expect, it } from "vitest";

import { patternBytes } from "../support/seeded.ts";
import {
  environmentWithoutHawser,
  ServerProcess,
  sourceProgram,
} from "../support/server-process.ts";
import { eventsFrom, runHawser } from "./hawser-command.ts";

const names = [0, 1, 2, 3].map((at) => `${at}.pdf`);
const putAll = ["put", ...names, "--parallel", "1"];

let server: ServerProcess;
let root: string;
/** A fresh working and state directory for each test. */
let place: string;

beforeAll(async () => {
  const [made, started] = [
    await mkdtemp(join(tmpdir(), "hawser-lost-")),
    await ServerProcess.start(),
  ];
  [root, server] = [made, started];
  return async () => {
    await started.remove();
    await rm(made, { recursive: true, force: true });
  };
});

beforeEach(async () => {
  place = await mkdtemp(join(root, "place-"));
  for (const [at, name] of names.entries()) {
    const content = patternBytes({ seed: at, length: 1000 });
    await writeFile(join(place, name), Buffer.concat([Buffer.from("%PDF-1.4 "), content]));
  }
});

function environment(): Record<string, string> {
  const { url, appId, token } = server;
  return { HAWSER_URL: url, HAWSER_APP_ID: appId, HAWSER_TOKEN: token };
}

/** Runs a command whose stdout is this descriptor, or a pipe whose reader left before it began. */
async function runInto(stdout: number | "pipe", words: readonly string[]) {
  const child = spawn(process.execPath, [...sourceProgram, ...words], {
    cwd: place,
    stdio: ["ignore", stdout, "pipe"],
    env: { ...environmentWithoutHawser(), HAWSER_STATE: place, ...environment() },
  });
  child.stdout?.destroy();
  const closed = once(child, "close");
  const stderr = child.stderr === null ? "" : await text(child.stderr);
  await closed;
  return { code: child.exitCode, stderr };
}

async function runUnread(words: readonly string[]) {
  return await runInto("pipe", words);
}

async function runOnFullDisk(words: readonly string[]) {
  const full = await open("/dev/full", "w");
  return await runInto(full.fd, words).finally(() => full.close());
}

async function run(words: readonly string[]) {
  return await runHawser(words, { stateDirectory: place, environment: environment() });
}

async function countUploads(): Promise<number> {
  return eventsFrom(await run(["ls", "--json"])).length;
}

async function expectAllByAnotherRun(): Promise<void> {
  const again = await run([...putAll, "--quiet"]);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stdout.trim().split("\n")).toHaveLength(names.length);
}

it.each(["--quiet", "--json"])("put %s ends with 1 on a full disk", async (flag) => {
  const before = await countUploads();
  const result = await runOnFullDisk([...putAll, flag]);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/^error: .*ENOSPC.*\nnext: .*same command again/);
  expect((await countUploads()) - before).toBeLessThan(names.length);
  await expectAllByAnotherRun();
});

it.each(["--quiet", "--json"])("put %s ends with 1 without a reader", async (flag) => {
  const result = await runUnread([...putAll, flag]);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/^error: .*its reader has left\nnext: .*same command again/);
  await expectAllByAnotherRun();
});

it("what loses nothing but its last line ends with 1, too", async () => {
  await run(["put", "0.pdf"]);
  for (const verb of ["put", "publish"]) {
    const result = await runUnread([verb, "0.pdf"]);
    expect(result.code, verb).toBe(1);
    expect(result.stderr, verb).toContain("error: the output cannot be written");
  }
});

it("a doctor without a reader ends with 1: it has not looked at everything", async () => {
  const result = await runUnread(["doctor"]);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/^error: .*its reader has left\nnext: .*\n$/);
});

it.each([["ls"], ["status", "0.pdf"], ["app", "list"], ["help", "put"]])(
  "%s ends with 0 without a reader, and with 1 on a full disk",
  async (...showing) => {
    await run(["put", "0.pdf"]);
    const data = showing[0] === "app" ? ["--data", server.dataDirectory] : [];
    expect(await runUnread([...showing, ...data])).toEqual({ code: 0, stderr: "" });
    const lost = await runOnFullDisk([...showing, ...data]);
    expect(lost.code).toBe(1);
    expect(lost.stderr).toMatch(/^error: .*ENOSPC.*\nnext: .*\n$/);
  },
);
