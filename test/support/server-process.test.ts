import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { ServerProcess } from "./server-process.ts";

/** Listens like the real command and says what it was given; ends in order on SIGTERM. */
const standIn = `
import { createServer } from "node:http";
const argument = (name) => process.argv[process.argv.indexOf(name) + 1];
const server = createServer((request, response) => {
  const names = Object.keys(process.env).filter((name) => name.startsWith("HAWSER_")).sort();
  response.end(JSON.stringify({ arguments: process.argv.slice(2), names, pid: process.pid }));
});
server.listen(Number(argument("--port")), argument("--host"), () => {
  console.error("a line of the log");
  console.log("listening on http://127.0.0.1:" + server.address().port);
});
process.on("SIGTERM", () => process.exit(0));
`;

describe("a server process", () => {
  let directory: string;
  let program: readonly string[];
  const started: ServerProcess[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "hawser-stand-in-"));
    program = [join(directory, "main.mjs")];
    await writeFile(join(directory, "main.mjs"), standIn);
  });

  afterEach(async () => {
    await Promise.all(started.splice(0).map((server) => server.remove()));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function start(): Promise<ServerProcess> {
    const environment = { HAWSER_GIVEN: "yes" };
    const server = await ServerProcess.start({ program, environment, extraArguments: ["--more"] });
    started.push(server);
    return server;
  }

  async function ask(server: ServerProcess): Promise<unknown> {
    return (await fetch(server.url)).json();
  }

  it("is given its address, its data and its credentials, and nothing of the caller's", async () => {
    process.env.HAWSER_LEAKED = "no";
    try {
      const server = await start();
      const data = ["--data", server.dataDirectory, "--more"];
      expect(await ask(server)).toMatchObject({
        arguments: ["serve", "--host", "127.0.0.1", "--port", "0", ...data],
        names: ["HAWSER_APP_ID", "HAWSER_APP_SECRET", "HAWSER_GIVEN", "HAWSER_TOKEN"],
        pid: server.pid,
      });
    } finally {
      delete process.env.HAWSER_LEAKED;
    }
  });

  it("collects the lines of both streams and knows how much memory is resident", async () => {
    const server = await start();
    expect(server.logLines).toContain("a line of the log");
    const { now, peak } = await server.residentBytes();
    expect(now).toBeGreaterThan(1_000_000);
    expect(peak).toBeGreaterThanOrEqual(now);
  });

  it("tells an orderly end from a kill", async () => {
    const server = await start();
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
    await server.restart();
    expect(await server.kill9()).toEqual({ code: null, signal: "SIGKILL" });
    expect(server.running).toBe(false);
  });

  it("comes back on the same port and the same data", async () => {
    const server = await start();
    const { url, pid } = server;
    await server.restart({ samePort: true });
    expect(server.url).toBe(url);
    expect(server.pid).not.toBe(pid);
  });

  it("fails with the log when the process ends before it listens", async () => {
    const broken = ["-e", "console.error('no such option'); process.exit(3)"];
    await expect(ServerProcess.start({ program: broken })).rejects.toThrow("no such option");
  });

  it("removes its directory at the end", async () => {
    const server = await start();
    await server.remove();
    await expect(access(server.dataDirectory)).rejects.toThrow("ENOENT");
  });
});
