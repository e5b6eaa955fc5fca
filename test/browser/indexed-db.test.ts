import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { libraryPage, PageServer } from "./support/page-server.ts";
import { shareBrowser } from "./support/share-browser.ts";

vi.setConfig({ testTimeout: 90_000 });

const entry = {
  url: "http://host",
  appId: "1",
  identity: "blob:a:1",
  fingerprint: "f",
  name: "a",
  type: "a/b",
  length: 5,
  id: "upload:x",
  state: "open" as const,
  updatedAt: 7,
};

let site: PageServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;

shareBrowser(async (launched, parts) => {
  browser = launched;
  site = parts.use(await PageServer.start(libraryPage));
});

beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  await page.goto(site.url);
});

afterEach(async () => {
  await context.close();
});

test("it gives back what was put, replaces it whole, and forgets what was removed", async () => {
  const seen = await page.evaluate(async (given) => {
    const { store } = hawserPage;
    const before = await store.get("k");
    await store.put("k", { ...given, handle: "h" });
    await store.put("k", given);
    const put = { got: await store.get("k"), list: await store.list() };
    await store.remove("k");
    await store.remove("k");
    return { before, put, left: await store.list() };
  }, entry);
  const list = [{ key: "k", entry }];
  expect(seen).toEqual({ before: undefined, put: { got: entry, list }, left: [] });
});

test("it lists those alone whose key begins as wanted", async () => {
  const seen = await page.evaluate(async (given) => {
    const { store } = hawserPage;
    for (const key of ["a", "k", "k:1", "k:\u{1f600}", "l"]) await store.put(key, given);
    const wanted = await Promise.all([store.list("k"), store.list("k:"), store.list("x")]);
    return wanted.map((list) => list.map(({ key }) => key));
  }, entry);
  expect(seen).toEqual([["k", "k:1", "k:\u{1f600}"], ["k:1", "k:\u{1f600}"], []]);
});

test("many puts at once, of two pages, leave one entry", async () => {
  const other = await context.newPage();
  await other.goto(site.url);
  const putMany = (where: Page) =>
    where.evaluate(async (given) => {
      const { store } = hawserPage;
      await Promise.all(
        Array.from({ length: 20 }, (_, length) => store.put("k", { ...given, length })),
      );
    }, entry);
  await Promise.all([putMany(page), putMany(other)]);
  const list = await page.evaluate(() => hawserPage.store.list());
  expect(list).toEqual([{ key: "k", entry: { ...entry, length: 19 } }]);
});

test("a damaged entry is taken for none", async () => {
  const seen = await page.evaluate(async (given) => {
    const { store } = hawserPage;
    await store.put("good", given);
    await store.close();
    const opening = indexedDB.open("hawser-client");
    await new Promise((resolve) => (opening.onsuccess = resolve));
    const entries = opening.result.transaction("entries", "readwrite").objectStore("entries");
    for (const damaged of ["text", 5, null, {}, { ...given, id: 5 }]) {
      entries.put(damaged, JSON.stringify(damaged));
    }
    await new Promise((resolve) => (entries.transaction.oncomplete = resolve));
    opening.result.close();
    const keys = (await store.list()).map(({ key }) => key);
    return { keys, text: await store.get('"text"'), none: await store.get("null") };
  }, entry);
  expect(seen).toEqual({ keys: ["good"], text: undefined, none: undefined });
});

test("it lets go of a database that is deleted, and makes a new one", async () => {
  const seen = await page.evaluate(async (given) => {
    const { store } = hawserPage;
    await store.put("k", given);
    const deleting = indexedDB.deleteDatabase("hawser-client");
    await new Promise((resolve) => (deleting.onsuccess = resolve));
    const after = await store.get("k");
    await store.put("k", given);
    return { after, again: await store.get("k") };
  }, entry);
  expect(seen).toEqual({ after: undefined, again: entry });
});

test("a handle lives as long as what it was kept for", async () => {
  const seen = await page.evaluate(async (given) => {
    const { store, privateFile } = hawserPage;
    const before = await store.handleOf("k");
    await store.keepHandle("k", await privateFile("a.txt"));
    await store.put("k", given);
    const kept = await store.handleOf("k");
    await store.remove("k");
    return { before, kept: kept?.name, after: await store.handleOf("k") };
  }, entry);
  expect(seen).toEqual({ before: undefined, kept: "a.txt", after: undefined });
});
