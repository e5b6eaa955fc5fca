import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { eventually } from "../support/eventually.ts";
import { type HostileFault, HostileProxy } from "../support/hostile-proxy.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { HawserCommand, runHawser } from "./hawser-command.ts";

// Each command is a process of its own, which a busy machine takes seconds to start, and waits.
const timeout = 120_000;
const bytes = patternBytes({ seed: 29, length: 3 * 1024 * 1024 });

let server: ServerProcess;
let proxy: HostileProxy;
let directory: string;
let fileId: string;

beforeAll(async () => {
  server = await ServerProcess.start();
  const { address: url, appId, token } = server;
  const api = new GraphApi({ url, appId, token });
  fileId = await api.publish(await api.upload(bytes));
});

afterAll(() => server.remove());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-get-"));
  proxy = await HostileProxy.start({ host: server.address.hostname, port: server.port });
});

afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function commandOf(id: string, url: string): string[] {
  const { appId, token } = server;
  return ["get", id, "-o", "got", "--to", url, "--app", appId, "--token", token];
}

function proxyUrl(): string {
  return `http://${proxy.address.host}:${proxy.address.port}`;
}

async function gotBytes(): Promise<Buffer> {
  return await readFile(join(directory, "got"));
}

test(
  "the question before a download is asked again when it was refused, cut, or lost",
  { timeout },
  async () => {
    const faults: HostileFault[] = [
      { kind: "refuse", status: 503 },
      { kind: "cut", bytes: 0, how: "reset" },
      { kind: "lose" },
    ];
    proxy.plan = () => faults.shift();
    const got = await runHawser(commandOf(fileId, proxyUrl()), { stateDirectory: directory });
    expect(got.code, got.stderr).toBe(0);
    expect(faults).toEqual([]);
    expect(got.stderr.match(/trying again in/g)).toHaveLength(3);
    expect((await gotBytes()).equals(bytes)).toBe(true);
  },
);

test("a server that is away when a download begins is waited for", { timeout }, async () => {
  await server.kill9();
  const options = { stateDirectory: directory };
  const command = new HawserCommand(commandOf(fileId, server.url), options);
  const hasWaited = () => command.complained.includes("trying again in") || undefined;
  await eventually(hasWaited, { what: "the command to wait", timeoutMs: 60_000 });
  await server.restart({ samePort: true });
  const got = await command.result;
  expect(got.code, got.stderr).toBe(0);
  expect((await gotBytes()).equals(bytes)).toBe(true);
});

test("what will not change is not asked again", { timeout }, async () => {
  let questions = 0;
  proxy.plan = () => {
    questions += 1;
    return undefined;
  };
  const got = await runHawser(commandOf("999999", proxyUrl()), { stateDirectory: directory });
  expect(got.code).not.toBe(0);
  expect(got.stderr).not.toMatch(/trying again/);
  expect(questions).toBe(1);
});

test("an id that a server makes up leads to no other directory", { timeout }, async () => {
  const liar = createServer(({ url = "" }, response) => {
    response.end(url.includes("/content") ? "" : JSON.stringify({ id: "../led-away" }));
  });
  await once(liar.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void liar.close());
  const inner = join(directory, "inner");
  await mkdir(inner);
  const { port } = liar.address() as AddressInfo; // a TCP server always has one
  const command = commandOf(fileId, `http://127.0.0.1:${port}`);
  const unnamed = command.filter((word) => !["-o", "got"].includes(word));
  const got = await runHawser(unnamed, { stateDirectory: inner });
  expect(await readdir(directory), got.stderr).toEqual(["inner"]);
  expect(await readdir(inner)).toContain(fileId);
});

test("Ctrl-C ends a wait, and the command says that it was stopped", { timeout }, async () => {
  let questions = 0;
  proxy.plan = () => {
    questions += 1;
    return { kind: "refuse", status: 503 };
  };
  const command = new HawserCommand([...commandOf(fileId, proxyUrl()), "--json"], {
    stateDirectory: directory,
  });
  await eventually(() => (questions > 1 ? true : undefined), {
    what: "the question to be asked again",
    timeoutMs: 60_000,
  });
  command.interrupt();
  const got = await command.result;
  expect(JSON.parse(got.stdout)).toMatchObject({ error: { code: "aborted" } });
});
