import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";

import { eventually } from "../support/eventually.ts";
import { makeRealFile } from "../support/real-files.ts";
import { firstStrangeByte, patternBytes } from "../support/seeded.ts";
import {
  environmentWithoutHawser,
  repositoryDirectory,
  ServerProcess,
} from "../support/server-process.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const MiB = 1024 * 1024;
const video = { seed: 5, length: 6 * MiB };

let server: ServerProcess;
let place: string;

beforeAll(async () => {
  const [made, started] = [
    await mkdtemp(join(tmpdir(), "hawser-examples-")),
    await ServerProcess.start(),
  ];
  [place, server] = [made, started];
  await writeFile(join(made, "film.mp4"), patternBytes(video));
  return async () => {
    await started.remove();
    await rm(made, { recursive: true, force: true });
  };
});

function commandOf(example: string, words: readonly string[]): string[] {
  const program = join(repositoryDirectory, "examples", example, "run.ts");
  return ["--conditions=source", program, ...words];
}

function environmentOf(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    ...environmentWithoutHawser(),
    ...{ META_URL: server.url, META_APP_ID: server.appId, META_TOKEN: server.token },
    ...{ META_WABA_ID: "102290129340398", META_PAGE_ID: "1", META_PAGE_TOKEN: server.token },
    ...more,
  };
}

async function run(example: string, words: readonly string[]) {
  const options = { cwd: place, env: environmentOf() };
  return await promisify(execFile)(process.execPath, commandOf(example, words), options);
}

async function fetchFile(id: string): Promise<Buffer> {
  const headers = { authorization: `OAuth ${server.token}` };
  const response = await fetch(`${server.url}/v21.0/${id}/content`, { headers });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** Whether an upload has more than so many bytes that are durable. */
async function storedMoreThan(least: number): Promise<true | undefined> {
  const headers = { authorization: `OAuth ${server.token}` };
  const fields = "fields=file_offset,status";
  const response = await fetch(`${server.url}/v21.0/${server.appId}/uploads?${fields}`, {
    headers,
  });
  const offsets = [...(await response.text()).matchAll(/"file_offset":(\d+)/g)];
  return offsets.some(([, offset]) => Number(offset) > least) ? true : undefined;
}

async function publish(handle: string): Promise<string> {
  const response = await fetch(`${server.url}/v21.0/${server.appId}/files`, {
    method: "POST",
    headers: { authorization: `OAuth ${server.token}` },
    body: new URLSearchParams({ handle }),
  });
  return /"id":"(\d+)"/.exec(await response.text())?.[1] ?? "no id";
}

it("node-script goes on after it was killed, and prints a handle of the whole file", async () => {
  await using proxy = await TcpProxy.start({ host: "127.0.0.1", port: server.port });
  proxy.setPlan(() => ({ toServer: { afterBytes: 3 * MiB, fault: "stall" } }));
  const options = { cwd: place, env: environmentOf({ META_URL: proxy.url }) };
  const command = commandOf("node-script", ["film.mp4"]);
  const first = spawn(process.execPath, command, { ...options, stdio: "ignore" });
  const ended = once(first, "exit");
  await eventually(
    () =>
      Promise.resolve(
        proxy.connections.some(({ happened }) => happened !== undefined) || undefined,
      ),
    { what: "the upload to stall" },
  );
  await eventually(() => storedMoreThan(2 * MiB), { what: "the server to keep what it has" });
  first.kill("SIGKILL");
  await ended;
  proxy.setPlan(() => ({}));
  proxy.resetAll();
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, options);
  const resumedFrom = Number(/the first (\d+) of them by an earlier run/.exec(stderr)?.[1]);
  expect(resumedFrom).toBeGreaterThan(2 * MiB);
  const bytes = await fetchFile(await publish(stdout.trim()));
  expect(bytes.length).toBe(video.length);
  expect(firstStrangeByte(bytes, video)).toBeUndefined();
});

it("whatsapp-template-header creates a template with the file's handle", async (context) => {
  const picture = await makeRealFile("jpeg", place);
  if (picture.state === "missing") {
    context.skip(picture.reason);
    return;
  }
  const { stdout } = await run("whatsapp-template-header", [picture.path, "shop_news"]);
  expect(stdout).toMatch(/^template \d+: PENDING\n$/);
});

it("page-video publishes every byte of the video", async () => {
  const { stdout } = await run("page-video", ["film.mp4", "Our film"]);
  const id = /^video (\d+)\n$/.exec(stdout)?.[1] ?? stdout;
  const bytes = await fetchFile(id);
  expect(bytes.equals(await readFile(join(place, "film.mp4")))).toBe(true);
});

it("a setting that is missing is named", async () => {
  const env = environmentOf({ META_PAGE_TOKEN: "" });
  const command = commandOf("page-video", ["film.mp4"]);
  const failed = promisify(execFile)(process.execPath, command, { cwd: place, env });
  await expect(failed).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("META_PAGE_TOKEN") as string,
  });
});
