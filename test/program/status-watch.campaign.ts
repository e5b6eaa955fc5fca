import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it, vi } from "vitest";

import { eventually } from "../support/eventually.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess, sourceProgram } from "../support/server-process.ts";
import { eventsFrom, HawserCommand, runHawser } from "./hawser-command.ts";

// An upload, its watch and a server that starts anew, one after another.
vi.setConfig({ testTimeout: 60_000 });

const MiB = 1024 * 1024;
const terminal = "/usr/bin/script";

let server: ServerProcess;
let place: string;

beforeAll(async () => {
  const [made, started] = [
    await mkdtemp(join(tmpdir(), "hawser-watch-")),
    await ServerProcess.start(),
  ];
  [place, server] = [made, started];
  return async () => {
    await started.remove();
    await rm(made, { recursive: true, force: true });
  };
});

function options() {
  const { url, appId, token } = server;
  const environment = { HAWSER_URL: url, HAWSER_APP_ID: appId, HAWSER_TOKEN: token };
  return { stateDirectory: place, environment };
}

/** An upload that takes its time, and its id. */
async function slowUpload(name: string, seed: number, rate = "1MiB") {
  await writeFile(join(place, name), patternBytes({ seed, length: 4 * MiB }));
  const put = new HawserCommand(["put", name, "--json", "--limit-rate", rate], options());
  const id = await eventually(
    () => Promise.resolve(/"id":"(upload:[^"]+)"/.exec(put.printed)?.[1]),
    { what: "the upload to begin" },
  );
  return { put, id };
}

const watch = (id: string, ...more: string[]) =>
  new HawserCommand(["status", id, "--watch", "--interval", "0.1", ...more], options());

it("--watch --json prints a line a change and ends when the upload is complete", async () => {
  const { put, id } = await slowUpload("a.mp4", 1);
  const result = await watch(id, "--json").result;
  expect(result.code, result.stderr).toBe(0);
  const offsets = eventsFrom(result).map(({ offset }) => Number(offset));
  expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
  expect(eventsFrom(result).at(-1)).toMatchObject({ status: "complete", offset: 4 * MiB });
  expect((await put.result).code).toBe(0);
  const again = await runHawser(["status", "a.mp4", "--watch", "--json"], options());
  expect(eventsFrom(again)).toHaveLength(1);
});

it("--watch ends with 4 when the upload is cancelled under it", async () => {
  const { put, id } = await slowUpload("b.mp4", 2, "64KiB");
  const watching = watch(id);
  await eventually(() => Promise.resolve(watching.printed === "" ? undefined : true), {
    what: "the first line of the watch",
  });
  await put.kill9();
  expect((await runHawser(["cancel", id], options())).code).toBe(0);
  const result = await watching.result;
  expect(result.code, result.stderr).toBe(4);
  expect(result.stdout).toMatch(/^the upload: .* of 4\.0 MiB \(\d+ %\), open$/m);
});

it("--watch goes on when the server is away for a while", async () => {
  const { put, id } = await slowUpload("c.mp4", 3);
  const watching = watch(id, "--json");
  await eventually(() => Promise.resolve(watching.printed === "" ? undefined : true), {
    what: "the first line of the watch",
  });
  await server.kill9();
  await server.restart({ samePort: true });
  expect((await put.result).code).toBe(0);
  const result = await watching.result;
  expect(result.code, result.stderr).toBe(0);
  expect(eventsFrom(result).at(-1)).toMatchObject({ status: "complete" });
});

it("--watch draws a bar on a terminal", async (context) => {
  if (!existsSync(terminal)) context.skip(`${terminal} (of bsdutils) makes the terminal`);
  const { put, id } = await slowUpload("d.mp4", 4, "400KiB");
  const { stateDirectory, environment } = options();
  const words = [process.execPath, ...sourceProgram, "status", id, "--watch"];
  const line = words.map((word) => `'${word}'`).join(" ");
  const { stdout } = await promisify(execFile)(terminal, ["-qec", line, "/dev/null"], {
    cwd: stateDirectory,
    env: { ...process.env, ...environment, HAWSER_STATE: stateDirectory },
  });
  expect(stdout).toMatch(/█+░+ \d+% 4\.0 MiB/);
  expect(stdout).toMatch(/state +complete/);
  expect((await put.result).code).toBe(0);
});
