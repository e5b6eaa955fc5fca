import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { connectGraph } from "hawser-client";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { eventually } from "../support/eventually.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { type FaultPlan, TcpProxy } from "../support/tcp-proxy.ts";
import type { Outcome } from "./support/library-page.ts";
import { libraryPage, PageServer } from "./support/page-server.ts";
import { shareBrowser } from "./support/share-browser.ts";

// A browser takes a while on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000 });

const mib = 1024 * 1024;
const length = 12 * mib + 7;
const cutAfter = 4 * mib;
/** For tests that wait until a dead connection is noticed; others have the time they need. */
const noticedSoon = { stallMs: 3000 };

let server: ServerProcess;
let proxy: TcpProxy;
let site: PageServer;
let browser: Browser;
let directory: string;
let context: BrowserContext;
let page: Page;

shareBrowser(async (launched, parts) => {
  browser = launched;
  server = parts.use(await ServerProcess.start());
  proxy = parts.use(await TcpProxy.start({ host: "127.0.0.1", port: server.port }));
  site = parts.use(await PageServer.start(libraryPage));
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-browser-"));
  proxy.setPlan(() => ({}));
  context = await browser.newContext();
  page = await context.newPage();
  await page.goto(site.url);
});

afterEach(async () => {
  await context.close();
  await rm(directory, { recursive: true });
});

function connection() {
  return { url: proxy.url, appId: server.appId, token: server.token };
}

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(directory, "film.mp4");
  await writeFile(path, bytes);
  // Whole seconds, so that another file can be given the same time.
  await utimes(path, 1_700_000_000, 1_700_000_000);
  return path;
}

/** Begins in the page with the file at that path; the upload's id. */
async function begin(path: string, more: { stallMs?: number } = {}): Promise<string> {
  await page.setInputFiles("#file", path);
  const options = { ...connection(), ...more, publish: true };
  return page.evaluate((given) => hawserPage.begin(hawserPage.picked(), given), options);
}

async function outcomeOf(): Promise<Outcome> {
  const outcome = await page.evaluate(() => hawserPage.outcome());
  return outcome ?? expect.unreachable("nothing was begun");
}

/** Fails unless the upload ended with a published file of exactly these bytes. */
async function expectPublished({ result, failure }: Outcome, bytes: Buffer): Promise<void> {
  expect(failure).toBeUndefined();
  expect(await digestOf(result?.fileId ?? "")).toBe(sha256(bytes));
}

/** SHA-256 of what the server hands out as that file. */
async function digestOf(fileId: string): Promise<string> {
  const { body } = await connectGraph({ ...connection(), url: server.url }).download(fileId);
  const got = createHash("sha256");
  for await (const chunk of body) got.update(chunk);
  return got.digest("hex");
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The first connection from now on that carries so much meets the fault. */
function faultOnce(fault: "reset" | "stall"): FaultPlan {
  const before = proxy.connections.length;
  return () => {
    const done = proxy.connections.slice(before).some(({ happened }) => happened !== undefined);
    return done ? {} : { toServer: { afterBytes: cutAfter, fault } };
  };
}

/** As `begin`, with a connection that soon carries nothing more. */
async function beginAndStall(path: string, more: { stallMs?: number } = {}): Promise<string> {
  proxy.setPlan(faultOnce("stall"));
  return begin(path, more);
}

/** Of the page, whose connections meet no fault from then on. */
async function reload(): Promise<void> {
  await page.reload();
  proxy.setPlan(() => ({}));
  // Others than the one that stalled may have been accepted under the plan before.
  proxy.resetAll();
}

/** Waits until the server has kept so much of an upload whose connection stalled; how much. */
async function keptSomething(id: string, least = 1): Promise<number> {
  const { appId, token } = server;
  const graph = connectGraph({ url: server.url, appId, token });
  return eventually(
    async () => {
      const { offset } = await graph.status(id);
      return offset >= least ? offset : undefined;
    },
    { what: "the server to keep a part", timeoutMs: 60_000 },
  );
}

test("a file goes up in one piece, without the page reading it", async () => {
  const bytes = patternBytes({ seed: 1, length });
  await begin(await fileOf(bytes));
  const outcome = await outcomeOf();
  await expectPublished(outcome, bytes);
  expect(outcome.states).toEqual(["starting", "uploading", "publishing", "done"]);
  // Both ends for the fingerprint, the first of which shows its type as well.
  expect(await page.evaluate(() => hawserPage.bytesRead())).toBe(2 * mib);
});

test("an upload whose connection is cut in the middle goes on there", async () => {
  const bytes = patternBytes({ seed: 2, length });
  proxy.setPlan(faultOnce("reset"));
  await begin(await fileOf(bytes));
  const outcome = await outcomeOf();
  await expectPublished(outcome, bytes);
  expect(proxy.connections.some(({ happened }) => happened === "reset")).toBe(true);
  // Chromium sends a request again by itself when a connection that it had used before is reset:
  // the library then hears of the offset in place of the cut.
  expect(["network", "offset-mismatch"]).toContain(outcome.retried[0]);
});

test.each(["tus", "ietf"] as const)("a file in %s goes on after a cut", async (dialect) => {
  const bytes = patternBytes({ seed: 3, length });
  proxy.setPlan(faultOnce("reset"));
  await page.setInputFiles("#file", await fileOf(bytes));
  const { url, token } = connection();
  const options = { dialect, url, token };
  await page.evaluate((given) => hawserPage.begin(hawserPage.picked(), given), options);
  const outcome = await outcomeOf();
  const result = outcome.result ?? expect.unreachable(`it failed: ${outcome.failure?.message}`);
  // A browser tries again by itself where it can, and is told of another offset then.
  expect(outcome.retried).not.toEqual([]);
  expect(result.id).toContain("/uploads/");
  // The server's own, for which the page has to be shown the Link header.
  const fileId = await connectGraph({ ...connection(), url: server.url }).publish(result.handle);
  await expectPublished({ ...outcome, result: { ...result, fileId } }, bytes);
});

test("an upload whose connection goes dead is noticed and goes on", async () => {
  // More than the sockets on the way hold: what they took counts as sent, and waits for an answer.
  const bytes = patternBytes({ seed: 3, length: 64 * mib });
  await beginAndStall(await fileOf(bytes), noticedSoon);
  const outcome = await outcomeOf();
  await expectPublished(outcome, bytes);
  expect(outcome.retried).toContain("stalled");
});

test("after a reload in the middle the same file goes on where it was", async () => {
  const bytes = patternBytes({ seed: 4, length });
  const path = await fileOf(bytes);
  const id = await beginAndStall(path);
  const kept = await keptSomething(id);
  await reload();
  expect(await begin(path)).toBe(id);
  const outcome = await outcomeOf();
  await expectPublished(outcome, bytes);
  expect(outcome.result?.resumedFrom).toBeGreaterThanOrEqual(kept);
  expect(await page.evaluate(() => hawserPage.store.list())).toEqual([]);
});

test("after a reload another file of the same name starts anew", async () => {
  const id = await beginAndStall(await fileOf(patternBytes({ seed: 5, length })));
  await keptSomething(id);
  await reload();
  const other = patternBytes({ seed: 6, length });
  expect(await begin(await fileOf(other))).not.toBe(id);
  const outcome = await outcomeOf();
  await expectPublished(outcome, other);
  expect(outcome.result?.resumedFrom).toBe(0);
  expect(outcome.warnings).toEqual(["started-anew"]);
});

test("a file that differs in its middle alone is told from the one that was begun", async () => {
  const bytes = patternBytes({ seed: 7, length });
  const id = await beginAndStall(await fileOf(bytes));
  await keptSomething(id, mib + 2);
  await reload();
  const other = Buffer.from(bytes).fill("x", mib, mib + 1);
  expect(await begin(await fileOf(other))).not.toBe(id);
  const outcome = await outcomeOf();
  await expectPublished(outcome, other);
  expect(outcome.warnings).toEqual(["started-anew"]);
});

test("a handle that was kept goes on after a reload without being picked again", async () => {
  proxy.setPlan(faultOnce("stall"));
  const given = { ...connection(), publish: true };
  const id = await page.evaluate(
    async ({ options, seed, bytes }) => {
      const { store, privateFile, fileIdentity, resumeKey } = hawserPage;
      const handle = await privateFile("film.mp4");
      const writable = await handle.createWritable();
      await writable.write(new Uint8Array(bytes).map((_, index) => (index * seed) >>> 7));
      await writable.close();
      const identity = await fileIdentity(await handle.getFile());
      await store.keepHandle(resumeKey(options.url, options.appId, identity), handle);
      return hawserPage.begin(handle, options);
    },
    { options: given, seed: 2_654_435_761, bytes: length },
  );
  const kept = await keptSomething(id);
  await reload();
  const resumed = await page.evaluate(async (options) => {
    const { store } = hawserPage;
    const [entry] = await store.list();
    const handle = entry && (await store.handleOf(entry.key));
    return handle && { key: entry.key, id: await hawserPage.begin(handle, options) };
  }, given);
  expect(resumed?.id).toBe(id);
  const outcome = await outcomeOf();
  const bytes = Buffer.from(
    new Uint8Array(length).map((_, index) => (index * 2_654_435_761) >>> 7),
  );
  await expectPublished(outcome, bytes);
  expect(outcome.result?.resumedFrom).toBeGreaterThanOrEqual(kept);
  // With the upload done, its handle is forgotten too.
  const left = await page.evaluate((key) => hawserPage.store.handleOf(key), resumed?.key ?? "");
  expect(left).toBeUndefined();
});

test.each([
  ["is written to", "source-changed", (path: string) => writeFile(path, "more", { flag: "a" })],
  ["is removed", "source-unreadable", (path: string) => rm(path)],
])("an upload whose file %s meanwhile ends with %s", async (_, code, change) => {
  const path = await fileOf(patternBytes({ seed: 8, length }));
  await beginAndStall(path, noticedSoon);
  await change(path);
  const outcome = await outcomeOf();
  expect(outcome.failure?.code).toBe(code);
});

test("an upload that is stopped in the page stays resumable", async () => {
  const bytes = patternBytes({ seed: 9, length });
  const path = await fileOf(bytes);
  const id = await beginAndStall(path);
  await keptSomething(id);
  await page.evaluate(() => {
    hawserPage.task()?.abort();
  });
  expect((await outcomeOf()).failure?.code).toBe("aborted");
  expect(await begin(path)).toBe(id);
  await expectPublished(await outcomeOf(), bytes);
});

test("the files of a folder that was picked go up, those of its folders too", async () => {
  const paths = ["photos/one.mp4", "photos/summer/two.mp4", "photos/summer/three.mp4"];
  const files = paths.map((path, index) => {
    return { path, bytes: patternBytes({ seed: 11 + index, length: 4096 + index }) };
  });
  for (const { path, bytes } of files) {
    await mkdir(join(directory, dirname(path)), { recursive: true });
    await writeFile(join(directory, path), bytes);
  }
  await page.setInputFiles("#folder", join(directory, "photos"));
  const fileIds = await page.evaluate((given) => hawserPage.uploadFolder(given), connection());
  const graph = connectGraph({ ...connection(), url: server.url });
  const published = fileIds.map(async (fileId) => {
    const { name } = await graph.file(fileId);
    return { name, digest: await digestOf(fileId) };
  });
  const wanted = files.map(({ path, bytes }) => {
    return { name: basename(path), digest: sha256(bytes) };
  });
  // Browsers list a folder in an order of their own.
  expect(new Set(await Promise.all(published))).toEqual(new Set(wanted));
  expect(fileIds).toHaveLength(paths.length);
});

test("a page can read what was published, from any byte on", async () => {
  const bytes = patternBytes({ seed: 10, length });
  await begin(await fileOf(bytes));
  const { result } = await outcomeOf();
  const got = await page.evaluate(
    async ({ options, fileId, from }) => {
      const graph = hawserPage.connectGraph(options);
      const { status, headers, body } = await graph.download(fileId, { from });
      let value = 0;
      for await (const chunk of body) value = hawserPage.browserPlatform.crc32(chunk, value);
      return { status, range: headers["content-range"], value };
    },
    { options: connection(), fileId: result?.fileId ?? "", from: 5 * mib },
  );
  const range = `bytes ${5 * mib}-${length - 1}/${length}`;
  expect(got).toEqual({ status: 206, range, value: crc32(bytes.subarray(5 * mib)) });
});
