import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { TusPeer } from "../../packages/client/src/testing/tus-peer.ts";
import { exitCodes } from "../../packages/server/src/cli/exit-codes.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { eventsFrom, runHawser } from "./hawser-command.ts";

const content = Buffer.concat([
  Buffer.from("%PDF-1.4 "),
  patternBytes({ seed: 72, length: 300_000 }),
]);

let server: ServerProcess;
let root: string;
/** A fresh working and state directory for each test, with the file in it. */
let place: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "hawser-dialect-"));
  server = await ServerProcess.start();
  return async () => {
    await server.remove();
    await rm(root, { recursive: true, force: true });
  };
});

beforeEach(async () => {
  place = await mkdtemp(join(root, "place-"));
  await writeFile(join(place, "film.pdf"), content);
});

function hawser(...command: string[]) {
  const { url, appId, token } = server;
  const environment = { HAWSER_URL: url, HAWSER_APP_ID: appId, HAWSER_TOKEN: token };
  return runHawser(command, { stateDirectory: place, environment });
}

async function fetchFile(id: string): Promise<Buffer> {
  const headers = { authorization: `OAuth ${server.token}` };
  const response = await fetch(`${server.url}/v21.0/${id}/content`, { headers });
  return Buffer.from(await response.arrayBuffer());
}

describe.each(["tus", "ietf"])("hawser put --dialect %s", (dialect) => {
  it("prints the handle, which can be published by the file's name", async () => {
    const result = await hawser("put", "film.pdf", "--dialect", dialect, "--json");
    expect(result.code, result.stderr).toBe(0);
    const done = eventsFrom(result).find(({ event }) => event === "done");
    expect(String(done?.handle)).toMatch(/^4:/);
    const published = await hawser("publish", "film.pdf");
    expect(published.code, published.stderr).toBe(0);
    expect((await fetchFile(published.stdout.trim())).equals(content)).toBe(true);
  });

  it("does not send again what is there", async () => {
    await hawser("put", "film.pdf", "--dialect", dialect);
    const again = await hawser("put", "film.pdf", "--dialect", dialect);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain("was already uploaded");
  });

  it("is no upload that Graph's commands can ask for by the file's name", async () => {
    await hawser("put", "film.pdf", "--dialect", dialect);
    const status = await hawser("status", "film.pdf");
    expect(status.code).toBe(exitCodes.usage);
    expect(status.stderr).toContain(`was uploaded with --dialect ${dialect}`);
  });

  it("does not publish by itself", async () => {
    const result = await hawser("put", "film.pdf", "--dialect", dialect, "--publish");
    expect(result.code).toBe(exitCodes.usage);
    expect(result.stderr).toContain(`--publish is not there in ${dialect}`);
  });
});

it("somebody else's tus server needs neither an app nor a token", async () => {
  await using peer = await TusPeer.start();
  const command = ["put", "film.pdf", "--dialect", "tus", "--to", peer.url, "--json"];
  const result = await runHawser(command, { stateDirectory: place });
  expect(result.code, result.stderr).toBe(0);
  const done = eventsFrom(result).find(({ event }) => event === "done");
  expect(content.equals(await peer.bytesOf(String(done?.handle)))).toBe(true);
});

it("a dialect that there is not is refused with those that there are", async () => {
  const result = await hawser("put", "film.pdf", "--dialect", "ftp");
  expect(result.code).toBe(exitCodes.usage);
  expect(result.stderr).toContain("graph, tus, ietf");
});
