import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

import { putEvents } from "../../packages/server/src/cli/put-events.ts";
import { eventually } from "../support/eventually.ts";
import { patternBytes, patternChunks } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import type { CommandOptions, CommandResult } from "./hawser-command.ts";
import { eventsFrom, HawserCommand, runHawser, uploadFrom } from "./hawser-command.ts";

const MiB = 1024 * 1024;

let server: ServerProcess;
let root: string;
/** A fresh working and state directory for each test. */
let place: string;

beforeAll(async () => {
  const [made, started] = [
    await mkdtemp(join(tmpdir(), "hawser-put-")),
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
});

function options(more: Partial<CommandOptions> = {}): CommandOptions {
  const { url, appId, token } = server;
  const environment = { HAWSER_URL: url, HAWSER_APP_ID: appId, HAWSER_TOKEN: token };
  return { stateDirectory: place, ...more, environment: { ...environment, ...more.environment } };
}

async function put(words: readonly string[], more: Partial<CommandOptions> = {}) {
  return await runHawser(["put", ...words], options(more));
}

/** A PDF of this length that is like no other of another seed. */
function pdf(seed: number, length: number): Buffer {
  return Buffer.concat([Buffer.from("%PDF-1.4 "), patternBytes({ seed, length: length - 9 })]);
}

async function write(path: string, content: Uint8Array): Promise<void> {
  await mkdir(join(place, path, ".."), { recursive: true });
  await writeFile(join(place, path), content);
}

async function ask(path: string): Promise<Response> {
  const headers = { authorization: `OAuth ${server.token}` };
  const response = await fetch(`${server.url}/v21.0/${path}`, { headers });
  expect(response.status).toBe(200);
  return response;
}

async function fetchFile(id: unknown): Promise<Buffer> {
  return Buffer.from(await (await ask(`${String(id)}/content`)).arrayBuffer());
}

/** The offset of every upload there is. */
async function listOffsets(): Promise<number[]> {
  const list: unknown = await (await ask(`${server.appId}/uploads?limit=100`)).json();
  return Array.from(JSON.stringify(list).matchAll(/"file_offset":(\d+)/g), ([, at]) => Number(at));
}

const ended = (result: CommandResult) =>
  eventsFrom(result).filter(({ event }) => event === "done" || event === "failed");

describe("a folder", () => {
  it("is uploaded with all that is in it; links and special files are named and skipped", async () => {
    const contents = new Map([
      [join("photos", "a.pdf"), pdf(1, 40_000)],
      [join("photos", "deep", "er", "a.pdf"), pdf(2, 300_000)],
      [join("photos", "z [1].pdf"), pdf(3, 70_000)],
    ]);
    for (const [path, content] of contents) await write(path, content);
    await symlink("a.pdf", join(place, "photos", "link.pdf"));
    await symlink("..", join(place, "photos", "up"));
    execFileSync("mkfifo", [join(place, "photos", "pipe")]);

    const result = await put(["photos", "--publish", "--json"]);
    expect(result.code, result.stderr).toBe(0);
    const done = ended(result);
    expect(new Set(done.map(({ file }) => file))).toEqual(new Set(contents.keys()));
    for (const { file, fileId, name } of done) {
      const content = contents.get(String(file));
      expect(name).toBe(String(file).split("/").at(-1));
      expect((await fetchFile(fileId)).equals(content ?? Buffer.alloc(0))).toBe(true);
    }
    const skipped = eventsFrom(result).filter(({ event }) => event === "skipped");
    expect(skipped.map(({ file, reason }) => [file, reason])).toEqual([
      [join("photos", "link.pdf"), "a symbolic link"],
      [join("photos", "pipe"), "a named pipe"],
      [join("photos", "up"), "a symbolic link"],
    ]);
    const bytes = 40_000 + 300_000 + 70_000;
    expect(eventsFrom(result).at(-1)).toMatchObject({
      ...{ event: "summary", files: 3, skipped: 3, failed: 0, resumed: 0 },
      ...{ bytes, sentBytes: bytes },
    });

    const again = await put(["photos"]);
    expect(again.code).toBe(0);
    const labels = again.stdout
      .trim()
      .split("\n")
      .map((line) => line.split("  ")[0]);
    expect(new Set(labels)).toEqual(new Set(contents.keys()));
    expect(again.stderr).toMatch(/^total: 3 files, 400 KiB in .*, 3 resumed, 3 skipped$/m);
    expect(again.stderr).toContain("skipped: photos/pipe: it is a named pipe\n");
  });

  it("ends with 5 when one of its files failed, and says which", async () => {
    await write("mixed/good.pdf", pdf(4, 10_000));
    await write("mixed/empty.pdf", Buffer.alloc(0));
    const result = await put(["mixed", "missing.pdf"]);
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("error: mixed/empty.pdf: the file is empty");
    expect(result.stderr).toContain("error: missing.pdf: cannot open missing.pdf");
    expect(result.stderr).toMatch(/^total: 1 file, .*, 2 failed$/m);
    expect(result.stdout).toMatch(/^mixed\/good\.pdf {2}4:/);
  });

  it("goes on where it was when the command is killed in the middle of it", async () => {
    const lengths = [50_000, 6 * MiB, 6 * MiB, 70_000, 6 * MiB];
    const contents = lengths.map((length, at) => pdf(100 + at, length));
    for (const [at, content] of contents.entries()) await write(`many/${at}.pdf`, content);
    const before = (await listOffsets()).length;

    // What the proxy lets through is there; the rest of the first long file is waited for.
    await using proxy = await TcpProxy.start({ host: "127.0.0.1", port: server.port });
    proxy.setPlan(() => ({ toServer: { afterBytes: 3 * MiB, fault: "stall" } }));
    const words = ["put", "many", "--json", "--parallel", "2", "--publish", "--to", proxy.url];
    const killed = new HawserCommand(words, options());
    await eventually(
      async () => {
        const begun = (await listOffsets()).filter((at) => at > MiB && at < 5 * MiB);
        return begun.length === 2 ? true : undefined;
      },
      { what: "parts of two long files to be durable" },
    );
    await killed.kill9();
    expect((await killed.result).signal).toBe("SIGKILL");
    proxy.setPlan(() => ({}));

    const result = await runHawser(words, options());
    expect(result.code, result.stderr).toBe(0);
    const summary = eventsFrom(result).at(-1);
    expect(summary).toMatchObject({ event: "summary", files: 5, failed: 0 });
    const done = ended(result);
    const resumed = done.filter(({ resumedFrom }) => Number(resumedFrom) > MiB);
    expect(resumed.length).toBe(2);
    for (const { file, fileId } of done) {
      const content = contents[Number(/(\d+)\.pdf$/.exec(String(file))?.[1])];
      expect((await fetchFile(fileId)).equals(content ?? Buffer.alloc(0))).toBe(true);
    }
    // Nothing was begun twice.
    expect((await listOffsets()).length - before).toBe(5);
  }, 60_000);
});

describe("a pattern that no shell expanded", () => {
  it("stands for the files it matches, each once", async () => {
    for (const [at, name] of ["a.pdf", "b.pdf", "in/c.pdf"].entries())
      await write(name, pdf(at, 100));
    await write("d.txt", Buffer.from("no"));
    const result = await put(["*.pdf", "**/*.pdf", "a.pdf", "--json"]);
    expect(result.code, result.stderr).toBe(0);
    expect(ended(result).map(({ file }) => file)).toHaveLength(3);
    expect(new Set(ended(result).map(({ file }) => file))).toEqual(
      new Set(["a.pdf", "b.pdf", join("in", "c.pdf")]),
    );
  });

  it("is a file's own name when there is such a file", async () => {
    await write("[ab].pdf", pdf(9, 200));
    await write("a.pdf", pdf(10, 100));
    expect(uploadFrom(await put(["[ab].pdf", "--json"])).bytes).toBe(200);
  });

  it("that matches nothing fails and says so", async () => {
    const result = await put(["*.pdf"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("error: *.pdf: nothing matches this pattern");
  });
});

describe("standard input", () => {
  const temporary = () => ({ TMPDIR: place });

  it("is uploaded through a temporary file that is gone afterwards", async () => {
    const length = 5 * MiB + 3;
    const input = Readable.from(patternChunks({ seed: 7, length }));
    const named = ["-", "--name", "stream.mp4", "--type", "video/mp4", "--publish", "--json"];
    const result = await put(named, { input, environment: temporary() });
    const { name, file, fileId, bytes } = uploadFrom(result);
    expect({ name, file, bytes }).toEqual({ name: "stream.mp4", file: "-", bytes: length });
    expect((await fetchFile(fileId)).equals(patternBytes({ seed: 7, length }))).toBe(true);
    expect((await readdir(place)).filter((entry) => entry.includes("spool"))).toEqual([]);
    expect(result.stderr).toContain("temporary file");
  });

  it("needs no name; its type is seen from its content", async () => {
    const result = await put(["-"], { input: Readable.from([pdf(11, 5000)]) });
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/^stdin {2}4:/);
  });

  it("that is longer than allowed is refused, and nothing is left or begun", async () => {
    const before = (await listOffsets()).length;
    const input = Readable.from(patternChunks({ seed: 8, length: 2 * MiB }));
    const result = await put(["-", "--stdin-max", "1MiB"], { input, environment: temporary() });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("longer than 1048576 bytes");
    expect(await readdir(place)).toEqual([]);
    expect((await listOffsets()).length).toBe(before);
  });
});

describe("Ctrl-C", () => {
  it("ends a folder with 130, and another run goes on", async () => {
    for (const at of [0, 1, 2]) await write(`all/${at}.pdf`, pdf(60 + at, MiB));
    const words = ["put", "all", "--json", "--parallel", "1", "--limit-rate", "200KB"];
    const command = new HawserCommand(words, options());
    await eventually(
      () => Promise.resolve(command.printed.includes('"event":"progress"') || undefined),
      { what: "the first bytes to flow" },
    );
    command.interrupt();
    const result = await command.result;
    expect(result.code).toBe(130);
    expect(ended(result)).toMatchObject([{ event: "failed", error: { code: "aborted" } }]);
    expect(eventsFrom(result).at(-1)).toMatchObject({ event: "summary", files: 0, failed: 0 });
    expect((await put(["all", "--quiet"])).code).toBe(0);
  });

  it("ends the wait for standard input that never ends", async () => {
    const input = new Readable({ read: () => undefined });
    const command = new HawserCommand(["put", "-"], options({ input }));
    await eventually(() => Promise.resolve(command.complained.includes("temporary") || undefined), {
      what: "the command to read",
    });
    command.interrupt();
    expect((await command.result).code).toBe(130);
  });
});

it("a server's own data directory is skipped, wherever it is found", async () => {
  await write("site/a.pdf", pdf(70, 100));
  await write("site/hawser-data/local-credentials.json", Buffer.from("{}"));
  await write("site/hawser-data/b.pdf", pdf(71, 100));
  const result = await put(["site", "--json"]);
  expect(result.code).toBe(0);
  expect(uploadFrom(result).file).toBe(join("site", "a.pdf"));
  expect(result.stdout).toContain("a server's data directory");
});

it("--limit-rate holds for all files together, and lets every byte through", async () => {
  const contents = [pdf(20, MiB), pdf(21, MiB), pdf(22, MiB)];
  for (const [at, content] of contents.entries()) await write(`${at}.pdf`, content);
  const result = await put([
    "0.pdf",
    "1.pdf",
    "2.pdf",
    "--limit-rate",
    "2MB/s",
    "--publish",
    "--json",
  ]);
  expect(result.code, result.stderr).toBe(0);
  const summary = eventsFrom(result).at(-1);
  // The last slice goes when those before it have had their time.
  const least = ((3 * MiB - 256 * 1024) / 2e6) * 1000;
  expect(Number(summary?.durationMs)).toBeGreaterThan(least);
  for (const { file, fileId } of ended(result)) {
    const content = contents[Number(String(file).slice(0, 1))];
    expect((await fetchFile(fileId)).equals(content ?? Buffer.alloc(0))).toBe(true);
  }
  const low = await put(["0.pdf", "1.pdf", "--limit-rate", "2KiB"]);
  expect(low.code).toBe(2);
  expect(low.stderr).toContain("--limit-rate is too low");
});

it("--retries 0 gives up at the first failure, and more go on", async () => {
  await write("a.pdf", pdf(30, MiB));
  await using proxy = await TcpProxy.start({ host: "127.0.0.1", port: server.port });
  const cut = { toServer: { afterBytes: 1000, fault: "reset" } } as const;
  proxy.setPlan((at) => (at < 2 ? cut : {}));
  const failed = await put(["a.pdf", "--retries", "0", "--json", "--to", proxy.url]);
  expect(failed.code).toBe(1);
  expect(ended(failed)).toMatchObject([{ event: "failed", error: { code: "network" } }]);
  expect(eventsFrom(failed).some(({ event }) => event === "retrying")).toBe(false);
  const gone = await put(["a.pdf", "--retries", "3", "--json", "--to", proxy.url]);
  expect(uploadFrom(gone).bytes).toBe(MiB);
  expect(eventsFrom(gone).some(({ event }) => event === "retrying")).toBe(true);
});

it("--quiet prints results and errors, and nothing else", async () => {
  await write("a.pdf", pdf(40, 1000));
  const result = await put(["a.pdf", "--quiet"]);
  expect(result).toMatchObject({ code: 0, stderr: "" });
  expect(result.stdout).toMatch(/^a\.pdf {2}4:\S+\n$/);
  const failed = await put(["b.pdf", "--quiet"]);
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toMatch(/^error: b\.pdf: .*\nnext: .*\n$/);
});

it("--json tells every event of a file in order, and with --quiet only the ends", async () => {
  await write("a.pdf", pdf(50, 3 * MiB));
  const result = await put(["a.pdf", "--json", "--limit-rate", "4MiB"]);
  const names = eventsFrom(result).map(({ event }) => event);
  expect(names[0]).toBe("begin");
  expect(names.slice(-2)).toEqual(["done", "summary"]);
  expect(new Set(names)).toEqual(new Set(["begin", "uploading", "progress", "done", "summary"]));
  for (const { event, ...fields } of eventsFrom(result)) {
    const documented: unknown = Object.entries(putEvents).find(([name]) => name === event)?.[1][1];
    expect(documented, String(event)).toEqual(expect.arrayContaining(Object.keys(fields)));
  }
  const progress = eventsFrom(result).filter(({ event }) => event === "progress");
  expect(progress.at(-1)).toMatchObject({ file: "a.pdf", confirmed: 3 * MiB, length: 3 * MiB });
  const quiet = await put(["a.pdf", "--json", "--quiet"]);
  expect(eventsFrom(quiet).map(({ event }) => event)).toEqual(["done", "summary"]);
});

it("an empty folder is no failure", async () => {
  await mkdir(join(place, "empty"));
  const result = await put(["empty"]);
  expect(result).toMatchObject({ code: 0, stdout: "" });
  expect(result.stderr).toContain("nothing to upload");
});
