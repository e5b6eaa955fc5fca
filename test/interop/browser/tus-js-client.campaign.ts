import { createHash } from "node:crypto";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { takingUntyped } from "../../conformance/untyped.ts";
import { PageServer } from "../../browser/support/page-server.ts";
import { shareBrowser } from "../../browser/support/share-browser.ts";
import { eventually } from "../../support/eventually.ts";
import { patternBytes } from "../../support/seeded.ts";
import { ServerProcess } from "../../support/server-process.ts";
import { type FaultPlan, TcpProxy } from "../../support/tcp-proxy.ts";
import { SentUploads } from "../sent-uploads.ts";
import type { Seen } from "./tus-page.ts";

// A browser takes a while on a machine that does other things too.
vi.setConfig({ testTimeout: 90_000 });

const mib = 1024 * 1024;
const length = 12 * mib + 7;
const pageParts = Object.freeze({
  html: "test/interop/browser/tus-page.html",
  program: "test/interop/browser/tus-page.ts",
});
const protocols = ["tus-v1", "ietf-draft-03", "ietf-draft-05"];

let server: ServerProcess;
let uploads: SentUploads;
let proxy: TcpProxy;
/** How many connections it had carried before the test. */
let connectionsBefore: number;
let site: PageServer;
/** Of an origin that the server is not told of. */
let strangeSite: PageServer;
let browser: Browser;
let directory: string;
let context: BrowserContext;
let page: Page;

shareBrowser(async (launched, parts) => {
  browser = launched;
  site = parts.use(await PageServer.start(pageParts));
  strangeSite = parts.use(await PageServer.start(pageParts));
  const extraArguments = ["--cors-origins", site.url];
  server = parts.use(await ServerProcess.start(takingUntyped({ extraArguments })));
  uploads = await SentUploads.of(server);
  proxy = parts.use(await TcpProxy.start({ host: "127.0.0.1", port: server.port }));
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-tus-page-"));
  proxy.setPlan(() => ({}));
  connectionsBefore = proxy.connections.length;
  context = await browser.newContext();
  page = await context.newPage();
  await page.goto(site.url);
});

afterEach(async () => {
  await context.close();
  await rm(directory, { recursive: true });
});

type PlainOptions = Parameters<typeof tusPage.begin>[1];

function given() {
  return { url: proxy.url, token: server.token };
}

async function fileOf(bytes: Buffer): Promise<string> {
  const path = join(directory, "film.mp4");
  await writeFile(path, bytes);
  // tus-js-client knows a file again by its name, its type, its length and this.
  await utimes(path, 1_700_000_000, 1_700_000_000);
  return path;
}

async function begin(path: string, options: PlainOptions = {}): Promise<void> {
  await page.setInputFiles("#file", path);
  const server = given();
  await page.evaluate(
    ({ server, options }) => {
      tusPage.begin(server, options);
    },
    { server, options },
  );
}

/** The upload's URL, once the client says that it is done. */
async function finished(): Promise<string> {
  const { url, failure } = (await page.evaluate(() => tusPage.outcome())) ?? {};
  expect(failure).toBeUndefined();
  return url ?? expect.unreachable("nothing was begun");
}

function requests(): Promise<Seen[]> {
  return page.evaluate(() => tusPage.requests);
}

/** The URLs of so many uploads, once their creation was answered. */
function created(count: number): Promise<string[]> {
  return eventually(
    async () => {
      const urls = (await requests()).flatMap(({ method, location }) =>
        method === "POST" && typeof location === "string" ? [location] : [],
      );
      return urls.length === count ? urls : undefined;
    },
    { what: `${count} uploads to be created` },
  );
}

async function expectCarried(upload: string, bytes: Buffer): Promise<void> {
  expect((await uploads.content(upload)).equals(bytes)).toBe(true);
}

function wasCut(): boolean {
  const since = proxy.connections.slice(connectionsBefore);
  return since.some(({ happened }) => happened === "reset");
}

/** Of the page, whose connections meet no fault from then on. */
async function reload(): Promise<void> {
  await page.reload();
  proxy.setPlan(() => ({}));
  // Others than those that stalled may have been accepted under the plan before.
  proxy.resetAll();
}

/** The first connection of the test that carries so much is cut off. */
function cutOnce(afterBytes: number): FaultPlan {
  return () => (wasCut() ? {} : { toServer: { afterBytes, fault: "reset" } });
}

describe.for(protocols)("tus-js-client in a page of another origin, by %s,", (protocol) => {
  const ways: readonly (readonly [string, PlainOptions])[] = [
    ["in one request", {}],
    ["in pieces", { chunkSize: 5 * mib }],
    ["with bytes in the creation", { uploadDataDuringCreation: true }],
    [
      "with bytes in the creation, in pieces",
      { uploadDataDuringCreation: true, chunkSize: 5 * mib },
    ],
    ["with POST in place of PATCH", { overridePatchMethod: true }],
    ["with an id in every request", { addRequestId: true }],
  ];

  test.for(ways)("carries a file %s", async ([, options]) => {
    const bytes = patternBytes({ seed: 1, length });
    await begin(await fileOf(bytes), { ...options, protocol });
    await expectCarried(await finished(), bytes);
  });

  test("goes on where its connection was cut", async () => {
    const bytes = patternBytes({ seed: 2, length });
    proxy.setPlan(cutOnce(5 * mib));
    await begin(await fileOf(bytes), { protocol });
    await expectCarried(await finished(), bytes);
    expect(wasCut()).toBe(true);
    const patches = (await requests()).filter(({ method }) => method === "PATCH");
    const offsets = patches.map(({ offset }) => Number(offset));
    expect(offsets[0]).toBe(0);
    expect(offsets.at(-1)).toBeGreaterThan(0);
    expect(await created(1)).toHaveLength(1);
  });

  test("goes on after a reload in the middle", async () => {
    const bytes = patternBytes({ seed: 3, length });
    const path = await fileOf(bytes);
    proxy.setPlan(() => ({ toServer: { afterBytes: 5 * mib, fault: "stall" } }));
    await begin(path, { protocol });
    const urls = await created(1);
    const [kept = 0] = await uploads.keptOf(urls);
    await reload();
    await begin(path, { protocol });
    const url = await finished();
    expect([url]).toEqual(urls);
    await expectCarried(url, bytes);
    const seen = await requests();
    expect(seen[0]?.method).toBe("HEAD");
    expect(seen.at(-1)?.method).toBe("PATCH");
    expect(Number(seen.at(-1)?.offset)).toBeGreaterThanOrEqual(kept);
  });

  test("takes a file that was sent before for a new one", async () => {
    const bytes = patternBytes({ seed: 4, length: 100_000 });
    const path = await fileOf(bytes);
    await begin(path, { protocol });
    const first = await finished();
    await begin(path, { protocol });
    const second = await finished();
    expect(second).not.toBe(first);
    await expectCarried(second, bytes);
  });

  test("gives an upload up", async () => {
    proxy.setPlan(() => ({ toServer: { afterBytes: 5 * mib, fault: "stall" } }));
    await begin(await fileOf(patternBytes({ seed: 5, length })), { protocol });
    const [upload = ""] = await created(1);
    await page.evaluate(
      ([url = "", token = "", protocol = ""]) => tusPage.terminate(url, token, protocol),
      [upload, server.token, protocol],
    );
    expect((await uploads.head(upload)).status).toBe(410);
  });
});

describe("tus-js-client in a page of another origin, in four parts at once,", () => {
  const options = { parallelUploads: 4 };

  test("carries a file though its connections are cut", async () => {
    const bytes = patternBytes({ seed: 6, length });
    proxy.setPlan(cutOnce(2 * mib));
    await begin(await fileOf(bytes), options);
    const upload = await finished();
    await expectCarried(upload, bytes);
    expect(wasCut()).toBe(true);
    const head = await uploads.head(upload);
    expect(head.header("upload-concat")).toMatch(/^final;(\S+ ){3}\S+$/);
    expect(head.header("upload-length")).toBe(`${length}`);
    expect(head.header("upload-metadata")).toContain(`filename ${btoa("film.mp4")}`);
  });

  test("goes on with each part after a reload in the middle", async () => {
    const bytes = patternBytes({ seed: 7, length });
    const path = await fileOf(bytes);
    proxy.setPlan(() => ({ toServer: { afterBytes: 2 * mib, fault: "stall" } }));
    await begin(path, options);
    const partials = await created(4);
    await uploads.keptOf(partials);
    await reload();
    await begin(path, options);
    const upload = await finished();
    await expectCarried(upload, bytes);
    // Nothing but the whole was created anew.
    expect(await created(1)).toEqual([upload]);
    const named = (await uploads.head(upload)).header("upload-concat")?.slice("final;".length);
    expect(named?.split(" ").sort()).toEqual([...partials].sort());
  });
});

test("tus-js-client carries a stream whose length it does not know, though it is cut", async () => {
  // The client copies what it holds with every piece that it reads: a large chunk takes its time.
  const bytes = patternBytes({ seed: 8, length: 4 * mib + 7 });
  await page.setInputFiles("#file", await fileOf(bytes));
  proxy.setPlan(cutOnce(2 * mib));
  const options = { chunkSize: mib };
  await page.evaluate(
    ({ server, options }) => {
      tusPage.beginStream(server, options);
    },
    { server: given(), options },
  );
  const upload = await finished();
  await expectCarried(upload, bytes);
  expect(wasCut()).toBe(true);
  expect((await uploads.head(upload)).header("upload-length")).toBe(`${bytes.length}`);
});

test("the page itself can publish what it has sent", async () => {
  const bytes = patternBytes({ seed: 9, length: 100_000 });
  await begin(await fileOf(bytes));
  const upload = await finished();
  const digest = await page.evaluate(
    ([url = "", token = ""]) => tusPage.publishedDigest(url, token),
    [upload, server.token],
  );
  expect(Buffer.from(digest)).toEqual(createHash("sha256").update(bytes).digest());
});

test("a page of an origin that the server is not told of sends nothing", async () => {
  await page.goto(strangeSite.url);
  await begin(await fileOf(patternBytes({ seed: 10, length: 1000 })), { retryDelays: [] });
  const outcome = await page.evaluate(() => tusPage.outcome());
  expect(outcome?.failure).toContain("failed to create upload");
});
