import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { takingUntyped } from "../../conformance/untyped.ts";
import { PageServer } from "../../browser/support/page-server.ts";
import { shareBrowser } from "../../browser/support/share-browser.ts";
import { patternBytes } from "../../support/seeded.ts";
import { ServerProcess } from "../../support/server-process.ts";
import { type FaultPlan, TcpProxy } from "../../support/tcp-proxy.ts";
import { SentUploads } from "../sent-uploads.ts";
import type { UppyFile } from "./uppy-page.ts";

// A browser takes a while on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000 });

const mib = 1024 * 1024;

let server: ServerProcess;
let uploads: SentUploads;
let proxy: TcpProxy;
let site: PageServer;
let browser: Browser;
let directory: string;
let context: BrowserContext;
let page: Page;
/** Every PATCH that the page sent in this test. */
let patches: { readonly url: string; readonly offset: number }[];

shareBrowser(async (launched, parts) => {
  browser = launched;
  site = parts.use(
    await PageServer.start({
      html: "test/interop/browser/uppy-page.html",
      program: "test/interop/browser/uppy-page.ts",
      styles: ["@uppy/core/css/style.min.css", "@uppy/dashboard/css/style.min.css"],
    }),
  );
  const extraArguments = ["--cors-origins", site.url];
  server = parts.use(await ServerProcess.start(takingUntyped({ extraArguments })));
  uploads = await SentUploads.of(server);
  proxy = parts.use(await TcpProxy.start({ host: "127.0.0.1", port: server.port }));
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-uppy-"));
  proxy.setPlan(() => ({}));
  context = await browser.newContext();
  page = await context.newPage();
  patches = [];
  page.on("request", (request) => {
    if (request.method() !== "PATCH") return;
    patches.push({ url: request.url(), offset: Number(request.headers()["upload-offset"]) });
  });
  await visit();
});

afterEach(async () => {
  await context.close();
  await rm(directory, { recursive: true });
});

async function visit(): Promise<void> {
  const given = new URLSearchParams({ url: proxy.url, token: server.token });
  await page.goto(`${site.url}/#${given.toString()}`);
  await page.locator(".uppy-Dashboard-inner").waitFor();
}

type Contents = Readonly<Record<string, Buffer>>;

/** Adds files as the Dashboard's "browse" does. */
async function add(contents: Contents): Promise<void> {
  const paths: string[] = [];
  for (const [name, bytes] of Object.entries(contents)) {
    const path = join(directory, name);
    await writeFile(path, bytes);
    await utimes(path, 1_700_000_000, 1_700_000_000);
    paths.push(path);
  }
  await page.locator("input.uppy-Dashboard-input").first().setInputFiles(paths);
}

function button(name: string) {
  return page.getByRole("button", { name, exact: true });
}

/** What Uppy tells of its files, once the Dashboard says that all are sent. */
async function sent(): Promise<readonly UppyFile[]> {
  await page.locator(".uppy-StatusBar.is-complete").waitFor({ timeout: 60_000 });
  return page.evaluate(() => uppyPage.files());
}

async function expectCarried(files: readonly UppyFile[], contents: Contents): Promise<void> {
  expect(files.map(({ name }) => name).sort()).toEqual(Object.keys(contents).sort());
  for (const { name, url = "", failure } of files) {
    expect(failure).toBeUndefined();
    const bytes = await uploads.content(url);
    expect(contents[name]?.equals(bytes), name).toBe(true);
    const metadata = (await uploads.head(url)).header("upload-metadata");
    expect(metadata).toContain(`filename ${Buffer.from(name).toString("base64")}`);
  }
}

/** Every connection from now on takes so long for a MiB. */
function slow(msPerMib: number): FaultPlan {
  return () => ({ toServer: { sliceLength: mib / 8, delayMs: msPerMib / 8 } });
}

/** The URLs of uploads that the page has begun, as the client remembers them for a reload. */
function remembered(): Promise<string[]> {
  return page.evaluate(() => {
    const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index));
    return keys.flatMap((key) => {
      const text = localStorage.getItem(key ?? "") ?? "{}";
      // What tus-js-client writes there.
      const { uploadUrl } = JSON.parse(text) as { uploadUrl?: string };
      return uploadUrl === undefined ? [] : [uploadUrl];
    });
  });
}

/** Those of so many files, once the server has kept something of each. */
async function begun(count: number): Promise<string[]> {
  await page.waitForFunction((count) => localStorage.length >= count, count);
  const urls = await remembered();
  await uploads.keptOf(urls);
  return urls;
}

test("several files that are added in the Dashboard arrive", async () => {
  const contents = {
    "film.mp4": patternBytes({ seed: 1, length: 9 * mib + 1 }),
    "größe ✓.pdf": patternBytes({ seed: 2, length: 3 * mib }),
    "small.bin": patternBytes({ seed: 3, length: 17 }),
    "nothing.bin": Buffer.alloc(0),
  };
  await add(contents);
  await button("Upload 4 files").click();
  await expectCarried(await sent(), contents);
});

test("a file of a type that the app does not take is refused, and the others arrive", async () => {
  const contents = { "film.mp4": patternBytes({ seed: 9, length: mib }) };
  await add({ ...contents, "page.html": Buffer.from("<!doctype html>") });
  await button("Upload 2 files").click();
  await page.locator(".uppy-StatusBar.is-error").waitFor();
  await page.waitForFunction(() => uppyPage.files().some(({ url }) => url !== undefined));
  const files = await page.evaluate(() => uppyPage.files());
  const [refused, ...others] = files.toSorted((a, b) => b.name.localeCompare(a.name));
  expect(refused?.failure).toMatch(/filetype in Upload-Metadata is not a type that this app takes/);
  await expectCarried(others, contents);
});

test("files that are paused in the Dashboard go on where they were", async () => {
  const contents = {
    "a.bin": patternBytes({ seed: 4, length: 12 * mib }),
    "b.bin": patternBytes({ seed: 5, length: 10 * mib }),
  };
  proxy.setPlan(slow(2_000));
  await add(contents);
  await button("Upload 2 files").click();
  const urls = await begun(2);
  await button("Pause").click();
  await page.getByText("Upload paused").waitFor();
  const kept = await uploads.keptOf(urls);
  expect(kept.every((offset) => offset < 10 * mib)).toBe(true);
  const before = patches.length;
  proxy.setPlan(() => ({}));
  proxy.resetAll();
  await button("Resume").click();
  const files = await sent();
  await expectCarried(files, contents);
  expect(files.map(({ url }) => url).sort()).toEqual([...urls].sort());
  for (const [index, url] of urls.entries()) {
    const offsets = patches
      .slice(before)
      .flatMap((patch) => (patch.url === url ? patch.offset : []));
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(kept[index] ?? Infinity);
  }
});

test("a file whose connection is cut goes on there by itself", async () => {
  const contents = { "film.mp4": patternBytes({ seed: 6, length: 12 * mib + 7 }) };
  const before = proxy.connections.length;
  const wasCut = () => proxy.connections.slice(before).some(({ happened }) => happened === "reset");
  proxy.setPlan(() => (wasCut() ? {} : { toServer: { afterBytes: 5 * mib, fault: "reset" } }));
  await add(contents);
  await button("Upload 1 file").click();
  await expectCarried(await sent(), contents);
  expect(wasCut()).toBe(true);
  expect(patches.at(0)?.offset).toBe(0);
  expect(patches.at(-1)?.offset).toBeGreaterThan(0);
});

test("a file that is added again after a reload goes on where it was", async () => {
  const contents = { "film.mp4": patternBytes({ seed: 7, length: 12 * mib + 7 }) };
  proxy.setPlan(() => ({ toServer: { afterBytes: 5 * mib, fault: "stall" } }));
  await add(contents);
  await button("Upload 1 file").click();
  const urls = await begun(1);
  const [kept = Infinity] = await uploads.keptOf(urls);
  await page.reload();
  proxy.setPlan(() => ({}));
  // Others than the one that stalled may have been accepted under the plan before.
  proxy.resetAll();
  await add(contents);
  await button("Upload 1 file").click();
  const files = await sent();
  await expectCarried(files, contents);
  expect(files.map(({ url }) => url)).toEqual(urls);
  expect(patches.at(-1)?.offset).toBeGreaterThanOrEqual(kept);
});

test("files that are cancelled in the Dashboard are gone from the server", async () => {
  proxy.setPlan(slow(2_000));
  await add({ "film.mp4": patternBytes({ seed: 8, length: 12 * mib }) });
  await button("Upload 1 file").click();
  const [url = ""] = await begun(1);
  await page.locator("[data-cy=cancel]").click();
  await page.locator(".uppy-Dashboard-AddFiles").waitFor();
  await expect.poll(async () => (await uploads.head(url)).status).toBe(410);
});
