import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, vi } from "vitest";

import { publish } from "../../examples/other-clients/publish.ts";
import { patternBytes } from "../support/seeded.ts";
import {
  environmentWithoutHawser,
  repositoryDirectory,
  ServerProcess,
} from "../support/server-process.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { SentUploads } from "./sent-uploads.ts";

/*
 * The snippets of docs/protocols/clients.md as they stand there. Those for browsers are run by
 * test/interop/browser.
 */

// Programs that are started take a while on a machine that does other things too.
vi.setConfig({ testTimeout: 60_000 });

const run = promisify(execFile);
/** Debian's own, for which its packages are. */
const python = "/usr/bin/python3";
const examples = join(repositoryDirectory, "examples/other-clients");
const mib = 1024 * 1024;
const bytes = patternBytes({ seed: 431, length: 20 * mib + 3 });

let server: ServerProcess;
let uploads: SentUploads;
let proxy: TcpProxy;
let place: string;

beforeAll(async () => {
  const parts = new AsyncDisposableStack();
  server = parts.use(await ServerProcess.start());
  uploads = await SentUploads.of(server);
  proxy = parts.use(await TcpProxy.start({ host: "127.0.0.1", port: server.port }));
  place = await mkdtemp(join(tmpdir(), "hawser-clients-"));
  parts.defer(() => rm(place, { recursive: true, force: true }));
  await writeFile(join(place, "our film.mp4"), bytes);
  return () => parts.disposeAsync();
});

describe("docs/protocols/clients.md", () => {
  it("has every example word for word, and no other snippet", async () => {
    const page = await readFile(join(repositoryDirectory, "docs/protocols/clients.md"), "utf8");
    const snippets = [...page.matchAll(/^```\w+\n(.*?)^```$/gms)].map((match) => match[1]);
    const names = (await readdir(examples)).filter((name) => !name.endsWith(".md"));
    const texts = await Promise.all(names.map((name) => readFile(join(examples, name), "utf8")));
    expect(snippets.toSorted()).toEqual(texts.toSorted());
  });
});

/** Cuts the first connection that carries so much. */
function cutOnce(afterBytes: number): void {
  const before = proxy.connections.length;
  proxy.setPlan(() => {
    const done = proxy.connections.slice(before).some(({ happened }) => happened !== undefined);
    return done ? {} : { toServer: { afterBytes, fault: "reset" } };
  });
}

async function expectCarried(upload: string): Promise<void> {
  expect((await uploads.content(upload)).equals(bytes)).toBe(true);
  const metadata = (await uploads.head(upload)).header("upload-metadata");
  expect(metadata).toBe(`filename ${btoa("our film.mp4")},filetype ${btoa("video/mp4")}`);
}

/** Runs one of the scripts by the plainest shell there is; what it prints. */
async function shell(script: string, more: Readonly<Record<string, string>> = {}) {
  const given = { URL: proxy.url, TOKEN: server.token, FILE: "our film.mp4" };
  const { stdout } = await run("sh", ["-e", join(examples, script)], {
    cwd: place,
    env: { ...environmentWithoutHawser(), ...given, ...more },
  });
  return stdout.trim();
}

describe("curl as the page has it", () => {
  it("makes an upload by tus, sends it, and goes on after a cut", async () => {
    const UPLOAD = await shell("curl-create.sh");
    cutOnce(9 * mib);
    await expect(shell("curl-send.sh", { UPLOAD })).rejects.toThrow();
    const [offset = 0] = await uploads.keptOf([UPLOAD]);
    const before = proxy.connections.length;
    await shell("curl-send.sh", { UPLOAD });
    await expectCarried(UPLOAD);
    const later = proxy.connections.slice(before);
    const sent = later.reduce((sum, { toServerBytes }) => sum + toServerBytes, 0);
    expect(sent).toBeLessThan(bytes.length - offset + 64 * 1024);
  });

  it("sends a file in one request of the IETF's draft", async () => {
    proxy.setPlan(() => ({}));
    const upload = await shell("curl-ietf.sh");
    expect((await uploads.content(upload)).equals(bytes)).toBe(true);
  });
});

describe("tuspy as the page has it", () => {
  it("sends a file though its connection is cut", async (context) => {
    const isThere = await run(python, ["-c", "import tusclient, tinydb"]).then(
      () => true,
      () => false,
    );
    if (!isThere) context.skip("needs tuspy, as in Debian's package python3-tuspy");
    cutOnce(11 * mib);
    const words = [join(examples, "tuspy.py"), proxy.url, server.token, "our film.mp4"];
    const { stdout } = await run(python, words, { cwd: place });
    await expectCarried(stdout.trim());
    // What it keeps in its file is enough for another run.
    const again = await run(python, words, { cwd: place });
    expect(again.stdout).toBe(stdout);
  });
});

describe("publishing as the page has it", () => {
  it("makes a file of a complete upload", async () => {
    proxy.setPlan(() => ({}));
    const file = await publish(await shell("curl-ietf.sh"), server.token);
    const headers = { Authorization: `Bearer ${server.token}` };
    const answer = await fetch(`${server.url}/v21.0/${file}/content`, { headers });
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it("tells what the server says against it", async () => {
    const upload = await shell("curl-create.sh");
    await expect(publish(upload, server.token)).rejects.toThrow(/^200: .*"state":"open"/);
    await expect(publish(upload, "wrong")).rejects.toThrow(/^401: /);
  });
});
