import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectGraph } from "hawser-client";
import type { Browser } from "playwright-core";
import { describe, expect, test, vi } from "vitest";

import { GraphApi, uploadPath } from "../conformance/graph/graph-api.ts";
import { eventually } from "../support/eventually.ts";
import { RawConnection } from "../support/raw-http.ts";
import { repositoryDirectory, ServerProcess } from "../support/server-process.ts";
import { accessibilityFaults } from "./support/accessibility.ts";
import { expectStored } from "./support/expect-stored.ts";
import { administer, graphOf, mintToken, PageVisit, tokenForAll } from "./support/page-visit.ts";
import { shareBrowser } from "./support/share-browser.ts";
import { shareSamples } from "./support/share-samples.ts";

// A browser takes a while on a machine that does other things too.
vi.setConfig({ testTimeout: 120_000 });

const mib = 1024 * 1024;

let server: ServerProcess;
let browser: Browser;

shareBrowser(async (launched, parts) => {
  browser = launched;
  server = parts.use(await ServerProcess.start());
});

const samples = shareSamples();
const { sample } = samples;

describe("signing in", () => {
  test("with a wrong token says what to do, with the right one shows where to drop", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    await visit.signIn("not-a-token");
    await page.getByRole("alert").getByText("does not know this token").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await visit.signIn(server.token);
    await page.getByText("Drop files or folders anywhere").waitFor();
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
    await page.reload();
    await page.getByLabel("Access token").waitFor();
  });

  test("is remembered when asked for, until signing out", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    await visit.signIn(server.token, { remember: true });
    await page.getByText("Drop files or folders anywhere").waitFor();
    await page.reload();
    await page.getByText("Drop files or folders anywhere").waitFor();
    await visit.button("Sign out").click();
    await page.reload();
    await page.getByLabel("Access token").waitFor();
  });

  test("as another app shows another list, and sends the same file for that app too", async () => {
    const other = "777000000004";
    await administer(server, "/admin/v1/apps", { id: other });
    const theirToken = await mintToken(server, { appId: other });
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    const log = await sample("log book.pdf", 70_000);
    await visit.signIn(server.token);
    await visit.pick([log.path]);
    await visit.row("log book.pdf").getByText("On the server").waitFor();
    await visit.button("Sign out").click();
    await visit.signIn(theirToken);
    await page.getByRole("heading", { name: "Send files" }).waitFor();
    await visit.pick([log.path]);
    await visit.row("log book.pdf").getByText("On the server").waitFor();
    await visit.button("Clear finished").click();
    await page.getByRole("heading", { name: "Send files" }).waitFor();
    await visit.button("Sign out").click();
    await visit.signIn(server.token);
    await visit.row("log book.pdf").getByText("On the server").waitFor();
    await expectStored(server, [log]);
    const theirs = connectGraph({ url: server.url, appId: other, token: theirToken });
    expect((await theirs.listUploads({ status: "complete" })).entries).toHaveLength(1);
  });
});

describe("uploading", () => {
  test("ends with a handle and a published file that has the same bytes", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    await visit.signIn(server.token);
    const { path, bytes } = await sample("regatta.mp4", 9 * mib + 1);
    await visit.pick([path]);
    await visit.row("regatta.mp4").getByText("On the server").waitFor();
    await page.getByRole("status").getByText("regatta.mp4 is on the server.").waitFor();
    await visit.button("Details regatta.mp4").click();
    expect(await page.getByRole("textbox", { name: "Handle" }).inputValue()).not.toBe("");
    await visit.button("Publish").click();
    const fileId = await page.getByRole("textbox", { name: "File id" }).inputValue();
    const { body } = await graphOf(server).download(fileId);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk.slice());
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  test("can be paused and gone on with", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.signIn(server.token);
    await visit.setUplink(mib / 2);
    const ferry = await sample("ferry.mp4", 20 * mib);
    await visit.pick([ferry.path]);
    await visit.row("ferry.mp4").getByText("/s").waitFor();
    await visit.button("Pause ferry.mp4").click();
    await visit.row("ferry.mp4").getByText("Paused").waitFor();
    await visit.setUplink(-1);
    await visit.button("Go on ferry.mp4").click();
    await visit.row("ferry.mp4").getByText("On the server").waitFor();
    await expectStored(server, [ferry]);
  });

  test("asks no more whether to cancel what has finished meanwhile", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.signIn(server.token);
    await visit.setUplink(mib);
    const mooring = await sample("mooring.mp4", 20 * mib);
    await visit.pick([mooring.path]);
    await visit.someDurable("mooring.mp4");
    // So slow that it cannot finish before it is asked about.
    await visit.setUplink(mib / 8);
    await visit.button("Cancel mooring.mp4").click();
    await visit.button("Cancel this upload").waitFor();
    await visit.setUplink(-1);
    await visit.row("mooring.mp4").getByText("On the server").waitFor();
    await visit.button("Cancel this upload").waitFor({ state: "detached" });
    await visit.button("Details mooring.mp4").waitFor();
    await expectStored(server, [mooring]);
  });

  test("goes on by itself when the network comes back", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.signIn(server.token);
    await visit.setUplink(mib / 2);
    const lighthouse = await sample("lighthouse.mp4", 20 * mib);
    await visit.pick([lighthouse.path]);
    await visit.row("lighthouse.mp4").getByText("/s").waitFor();
    await visit.setUplink(0);
    await visit.page.getByText("You are offline.").first().waitFor();
    await visit.setUplink(-1);
    await visit.row("lighthouse.mp4").getByText("On the server").waitFor();
    await expectStored(server, [lighthouse]);
  });

  test("of a file that the server does not take says why, and what is cancelled is gone", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    await visit.signIn(server.token);
    await writeFile(join(samples.directory, "notes.txt"), "nothing that anybody takes");
    await visit.pick([join(samples.directory, "notes.txt")]);
    const row = visit.row("notes.txt");
    await visit.button("Retry notes.txt").waitFor();
    expect(await row.textContent()).toMatch(/does not take/);
    await visit.button("Cancel notes.txt").click();
    await row.getByText("Cancelled").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test("of five thousand files keeps only the rows in sight, and the page moving", async () => {
    await using visit = await PageVisit.open(browser, server.url, { width: 360 });
    await visit.signIn(server.token);
    await visit.page.getByText("Drop files or folders anywhere").waitFor();
    await visit.setUplink(0);
    const makingMs = await visit.page.evaluate(() => {
      const before = performance.now();
      const chosen = new DataTransfer();
      for (let number = 0; number < 5000; number += 1) {
        chosen.items.add(new File([`%PDF-${number}`], `${number}.pdf`));
      }
      const input = document.querySelector<HTMLInputElement>("#files");
      if (input === null) throw new Error("nothing to pick files with");
      input.files = chosen.files;
      return performance.now() - before;
    });
    await visit.page.evaluate(watchFrames);
    await visit.page.evaluate(() => {
      document.querySelector("#files")?.dispatchEvent(new Event("change"));
    });
    await visit.page.getByRole("button", { name: "All 5,000" }).waitFor();
    const gapMs = await visit.page.evaluate(() => frameGaps.longestMs);
    expect(gapMs).toBeLessThan(longestPerMaking * makingMs);
    expect(await visit.page.locator(".row").count()).toBeLessThan(60);
    await visit.page.evaluate(() => {
      scrollTo(0, document.body.scrollHeight);
    });
    await visit.page.locator('.row[aria-posinset="5000"]').waitFor();
    const [wide, seen] = await visit.page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    expect(wide).toBeLessThanOrEqual(seen);
  });
});

/**
 * How much longer than making the five thousand files the page may take for one frame of listing
 * them. A bound in seconds would fail where the machine does other things too: what is made in the
 * same page just before is slowed as much. On a busy machine listing took one and a half times as
 * long; it took six times as long once the list was written down anew for each of its files.
 */
const longestPerMaking = 4;

declare global {
  /** In the page only. */
  var frameGaps: { longestMs: number };
}

/** Runs in the page: notes the longest time without a frame from now on. */
function watchFrames(): void {
  globalThis.frameGaps = { longestMs: 0 };
  let before = performance.now();
  const look = () => {
    const now = performance.now();
    frameGaps.longestMs = Math.max(frameGaps.longestMs, now - before);
    before = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** The live view, of which the row of that upload is shown. */
async function openLive(visit: PageVisit, name: string) {
  await visit.signIn(await tokenForAll(server));
  await visit.page.getByRole("link", { name: "Live" }).click();
  const row = visit.page.locator(".live-row").filter({ hasText: name });
  await row.waitFor();
  return row;
}

describe("an operator", () => {
  test.each([
    ["Cancel", "cancelled"],
    ["Expire", "expired"],
  ])("sees an upload and can %s it", async (verb, state) => {
    const name = `${state}.pdf`;
    const id = await graphOf(server).start({ name, type: "application/pdf", length: 1000 });
    await using visit = await PageVisit.open(browser, server.url);
    const row = await openLive(visit, name);
    await row.getByRole("button", { name: `${verb} ${name}` }).click();
    await visit.button(`${verb} this upload`).click();
    await row.waitFor({ state: "detached" });
    await expect(graphOf(server).status(id)).rejects.toMatchObject({ code: "gone" });
    const listed = await graphOf(server).listUploads({ status: state });
    expect(listed.entries.map((entry) => entry.id)).toContain(id);
    expect(visit.complaints).toEqual([]);
  });
});

test("more open uploads than a page has are gone through page by page", async () => {
  await using own = await ServerProcess.start();
  for (let number = 1; number <= 101; number += 1) {
    const name = number === 1 ? "oldest.pdf" : `${number}.pdf`;
    await graphOf(own).start({ name, type: "application/pdf", length: 9 });
  }
  await using visit = await PageVisit.open(browser, `${own.url}/#live`);
  const { page } = visit;
  await visit.signIn(await tokenForAll(own));
  await page.locator(".live-row").filter({ hasText: "101.pdf" }).waitFor();
  expect(await page.locator(".live-row").count()).toBe(100);
  await visit.button("Older").click();
  await page.locator(".live-row").filter({ hasText: "oldest.pdf" }).waitFor();
  expect(await page.locator(".live-row").count()).toBe(1);
  await visit.button("Newest").click();
  await page.locator(".live-row").filter({ hasText: "101.pdf" }).waitFor();
  expect(visit.complaints).toEqual([]);
});

describe.each(["light", "dark"])("in %s colours", (colours) => {
  const open = () => PageVisit.open(browser, server.url, { dark: colours === "dark" });

  test("axe finds nothing wrong with rows of every kind and what is asked of them", async () => {
    await using visit = await open();
    const { page } = visit;
    expect(await accessibilityFaults(page)).toEqual([]);
    await visit.signIn(server.token);
    await page.getByText("Drop files or folders anywhere").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await writeFile(join(samples.directory, "notes.txt"), "nothing that anybody takes");
    const done = await sample(`${colours} done.pdf`, 1000);
    await visit.pick([done.path, join(samples.directory, "notes.txt")]);
    await visit.row(done.name).getByText("On the server").waitFor();
    await visit.button("Retry notes.txt").waitFor();
    await visit.setUplink(mib / 4);
    const films = ["first", "second", "third"].map((name) => `${colours} ${name}.mp4`);
    const made = await Promise.all(films.map((name) => sample(name, 30 * mib)));
    await visit.pick(made.map(({ path }) => path));
    const [paused = "", cancelled = ""] = films;
    await visit.button(`Pause ${paused}`).click();
    await visit.row(paused).getByText("Paused").waitFor();
    await visit.button(`Cancel ${cancelled}`).click();
    await visit.row(cancelled).getByText("Cancelled").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await visit.setUplink(0);
    await page.getByText("You are offline.").first().waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  test("axe finds nothing wrong with the details of a picture that is shown", async () => {
    await using visit = await open();
    const { page } = visit;
    await visit.signIn(server.token);
    await visit.pick([join(repositoryDirectory, "docs/page/empty.png")]);
    await visit.button("Details empty.png").click();
    const look = page.getByRole("img", { name: "Preview of empty.png" });
    await look.waitFor();
    await expect
      .poll(() => look.evaluate((image) => (image as HTMLImageElement).naturalWidth))
      .toBeGreaterThan(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    await visit.button("Publish").click();
    await page.getByRole("textbox", { name: "File id" }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  test("the live view shows which upload has stalled, and axe finds nothing wrong with it", async () => {
    const { address: url, appId, token } = server;
    const api = new GraphApi({ url, appId, token });
    const name = `${colours} slack.pdf`;
    const length = 16 * mib;
    const id = await api.start({ file_name: name, file_length: length });
    await using visit = await open();
    const { page } = visit;
    const row = await openLive(visit, name);
    const refused = await api.append({ id, offset: 5, bytes: Buffer.from("late") });
    expect(refused.status).toBe(412);
    const [path = ""] = uploadPath(id).split("?");
    const error = page.locator(".error-list li").filter({ hasText: `412 POST ${path}` });
    await error.getByText("offset mismatch", { exact: true }).waitFor();
    // Only now: the server cuts a body that is silent for half a minute.
    using connection = await RawConnection.open({ host: "127.0.0.1", port: server.port });
    await connection.sendHead(api.appendHead(id, length));
    let sentBytes = 0;
    // Of fewer bytes nothing is told for a while.
    const sign = async (bytes = Buffer.alloc(mib / 16)) => {
      sentBytes += bytes.length;
      await connection.write(bytes);
    };
    await sign(Buffer.from("%PDF-1.4\n".padEnd(mib / 16)));
    await row.getByText("stalled for").waitFor();
    expect(await row.getAttribute("class")).toContain("stalled");
    await page.locator(".count.alarming").getByText("1", { exact: true }).waitFor();
    await page.locator(".plot canvas").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    // Signs of life until they are seen, however late that is, and half a minute more.
    const isCalm = async () => {
      await sign();
      return (await page.locator(".count.alarming").count()) === 0 || undefined;
    };
    const calm = { what: "the alarm to go", timeoutMs: 60_000, intervalMs: 500 };
    await eventually(isCalm, calm);
    await row.getByText("stalled for").waitFor();
    const other = await graphOf(server).start({
      name: "idle.pdf",
      type: "application/pdf",
      length: 9,
    });
    await page.locator(".live-row").filter({ hasText: "idle.pdf" }).waitFor();
    await page.getByRole("button", { name: "Stalled 1" }).click();
    await page.locator(".live-row").filter({ hasText: "idle.pdf" }).waitFor({ state: "detached" });
    await graphOf(server).cancel(other);
    await row.getByRole("button", { name: `Expire ${name}` }).click();
    await visit.button("Expire this upload").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await visit.button("No, keep it").click();
    await sign(Buffer.alloc(length - sentBytes));
    await row.waitFor({ state: "detached" });
    await page.locator(".count.alarming").waitFor({ state: "detached" });
    expect((await connection.answer()).status).toBe(200);
  });
});
