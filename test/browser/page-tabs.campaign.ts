// That a row stands for one file of one app, whatever is clicked twice, changed, or done meanwhile.
import { writeFile } from "node:fs/promises";
import { connectGraph } from "hawser-client";
import type { Browser } from "playwright-core";
import { describe, expect, test, vi } from "vitest";

import { eventually } from "../support/eventually.ts";
import { ServerProcess } from "../support/server-process.ts";
import { expectStored } from "./support/expect-stored.ts";
import { administer, graphOf, mintToken, PageVisit } from "./support/page-visit.ts";
import { proxyWithFault, untilFault } from "./support/proxy-with-fault.ts";
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

const { sample } = shareSamples();

async function openList(): Promise<PageVisit> {
  const visit = await PageVisit.open(browser, server.url);
  await visit.signIn(server.token, { remember: true });
  await visit.page.getByText("Drop files or folders anywhere").waitFor();
  return visit;
}

/** Resolves when no tab of the browser sends a file any more. */
async function untilNothingIsSent({ page }: PageVisit): Promise<void> {
  const ask = () =>
    page.evaluate(async () => {
      const { held = [] } = await navigator.locks.query();
      return held.length === 0 || undefined;
    });
  await eventually(ask, { what: "the files to be let go", timeoutMs: 60_000 });
}

test("a file that another tab sent for one app is not sent for the next one signed in", async () => {
  const other = "777000000005";
  await administer(server, "/admin/v1/apps", { id: other });
  const theirToken = await mintToken(server, { appId: other });
  await using staying = await openList();
  const [mine, theirs] = [await sample("mine.mp4", 40 * mib), await sample("theirs.pdf", 3000)];
  {
    await using closing = await staying.openTab();
    await closing.page.getByText("Drop files or folders anywhere").waitFor();
    await closing.setUplink(mib);
    await closing.drop([mine.path]);
    await closing.someDurable(mine.name);
    await staying.page.reload();
    await staying.row(mine.name).getByText("is being sent already").waitFor();
    await staying.button("Sign out").click();
    await staying.signIn(theirToken);
    await staying.page.getByText("Drop files or folders anywhere").waitFor();
  }
  await untilNothingIsSent(staying);
  await staying.pick([theirs.path]);
  await staying.row(theirs.name).getByText("On the server").waitFor();
  const graph = connectGraph({ url: server.url, appId: other, token: theirToken });
  const { entries } = await graph.listUploads();
  expect(entries.map(({ name }) => name)).toEqual([theirs.name]);
});

describe("two tabs with the same row", () => {
  test("give it up together, whichever of them sends it", async () => {
    await using first = await openList();
    await first.setUplink(mib);
    const before = ["one.mp4", "two.mp4", "three.mp4"].map((name) => sample(name, 20 * mib));
    const films = await Promise.all(before);
    const last = await sample("last.mp4", 20 * mib);
    await first.pick([...films, last].map(({ path }) => path));
    for (const { name } of films) await first.row(name).getByText("/s").waitFor();
    await first.untilRemembered(last.name, ({ phase }) => phase === "queued");
    await using second = await first.openTab();
    await second.setUplink(mib);
    await second.row(last.name).getByText(`Pick ${last.name} again`).waitFor();
    await second.pick([last.path]);
    await second.someDurable(last.name);
    await first.button("Pause one.mp4").click();
    await first.row(last.name).getByText("is being sent already").waitFor();
    await second.button(`Cancel ${last.name}`).click();
    await second.button("Cancel this upload").click();
    for (const visit of [first, second]) {
      await visit.row(last.name).getByText("Cancelled", { exact: true }).waitFor();
    }
    const gone = async () => {
      const { entries } = await graphOf(server).listUploads({ status: "open" });
      return entries.every(({ name }) => name !== last.name) || undefined;
    };
    await eventually(gone, { what: "the upload to be given up", timeoutMs: 60_000 });
  });
});

describe("a button that is clicked", () => {
  test("twice to go on goes on once, and can be paused again", async () => {
    await using visit = await openList();
    await visit.setUplink(4 * mib);
    const anchor = await sample("anchor.mp4", 40 * mib);
    await visit.pick([anchor.path]);
    await visit.someDurable(anchor.name);
    await visit.button(`Pause ${anchor.name}`).click();
    await visit.row(anchor.name).getByText("Paused").waitFor();
    await visit.button(`Go on ${anchor.name}`).dblclick();
    await visit.row(anchor.name).getByText("/s").waitFor();
    await visit.button(`Pause ${anchor.name}`).click();
    await visit.row(anchor.name).getByText("Paused").waitFor();
    await visit.setUplink(-1);
    await visit.button(`Go on ${anchor.name}`).click();
    await visit.row(anchor.name).getByText("On the server").waitFor();
    await expectStored(server, [anchor]);
  });

  test("to pause what has just finished leaves it finished", async () => {
    await using visit = await openList();
    const { page } = visit;
    await page.clock.install();
    await page.reload();
    await visit.setUplink(mib);
    const buoy = await sample("buoy.mp4", 20 * mib);
    await visit.pick([buoy.path]);
    await visit.someDurable(buoy.name);
    // Time stands still: what has happened is not shown yet. The page may come to it late, and
    // must not miss progress for the 20 s after which a connection counts as dead.
    await page.clock.pauseAt(Date.now() + 10_000);
    await visit.setUplink(-1);
    await untilNothingIsSent(visit);
    await visit.button(`Pause ${buoy.name}`).click();
    await page.clock.resume();
    await visit.row(buoy.name).getByText("On the server").waitFor();
    await expectStored(server, [buoy]);
  });
});

test("a file that was given to two tabs is listed once in a third", async () => {
  await using first = await openList();
  const film = await sample("film.mp4", 40 * mib);
  await using second = await first.openTab();
  await second.page.getByText("Drop files or folders anywhere").waitFor();
  await second.page.evaluate(askForLocksLate);
  await first.setUplink(mib);
  await first.drop([film.path]);
  await first.someDurable(film.name);
  await second.drop([film.path]);
  await second.row(film.name).getByText("is being sent already").waitFor();
  await using third = await first.openTab();
  await third.row(film.name).first().waitFor();
  expect(await third.row(film.name).count()).toBe(1);
});

/** Runs in the page: it remembers what waits for its turn before it learns who has it. */
function askForLocksLate(): void {
  const { locks } = navigator;
  const request = locks.request.bind(locks) as (...asked: unknown[]) => Promise<unknown>;
  const late = async (...asked: unknown[]): Promise<unknown> => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return await request(...asked);
  };
  Object.assign(locks, { request: late });
}

test("a file that was changed before a reload is not sent as the one it was", async () => {
  await using proxy = await proxyWithFault(server, 12 * mib, "stall");
  await using visit = await PageVisit.open(browser, proxy.url);
  const { page } = visit;
  await visit.signIn(server.token, { remember: true });
  await page.getByText("Drop files or folders anywhere").waitFor();
  const { name, path, bytes } = await sample("logbook.mp4", 20 * mib + 7);
  await visit.drop([path]);
  await untilFault(proxy);
  await visit.untilRemembered(name, ({ confirmed }) => confirmed > 0);
  await writeFile(path, bytes.subarray(0, 3 * mib));
  await page.reload();
  await visit.row(name).getByText("The file changed").waitFor();
  await visit.button(`Retry ${name}`).click();
  await visit.row(name).getByText("The file changed").waitFor();
  await visit.button(`Cancel ${name}`).click();
  await visit.button("Cancel this upload").click();
  await visit.row(name).getByText("Cancelled", { exact: true }).waitFor();
  await visit.drop([path]);
  await visit.row(name).getByText("On the server").waitFor();
});

describe("signing out while a fresh token is asked for", () => {
  const title = "A fresh token is needed";

  /** A finished file and one that is paused in the middle, of whoever's token is refused by now. */
  async function openRefused(name: string): Promise<PageVisit> {
    const visit = await PageVisit.open(browser, server.url);
    const token = await mintToken(server);
    await visit.signIn(token);
    const [done, film] = [await sample(`${name}.pdf`, 3000), await sample(`${name}.mp4`, 20 * mib)];
    await visit.pick([done.path]);
    await visit.row(done.name).getByText("On the server").waitFor();
    await visit.setUplink(mib);
    await visit.pick([film.path]);
    await visit.someDurable(film.name);
    await visit.button(`Pause ${film.name}`).click();
    await visit.row(film.name).getByText("Paused").waitFor();
    await visit.setUplink(-1);
    await administer(server, "/admin/v1/tokens/revoke", { token });
    const headers = { authorization: `Bearer ${token}` };
    const refused = async () => {
      const { status } = await fetch(`${server.url}/api/v1/me`, { headers });
      return status === 401 || undefined;
    };
    await eventually(refused, { what: "the token to be refused", timeoutMs: 60_000 });
    return visit;
  }

  /** Signs out in the dialog, over whatever else is open. */
  async function signOutInDialog({ page }: PageVisit): Promise<void> {
    const dialog = page.getByRole("dialog", { name: title });
    await dialog.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await dialog.waitFor({ state: "detached" });
  }

  test("closes the details that are open", async () => {
    await using visit = await openRefused("details");
    await visit.button("Details details.pdf").click();
    await signOutInDialog(visit);
    await visit.page.getByRole("dialog").waitFor({ state: "detached" });
  });

  test("takes back what is asked", async () => {
    await using visit = await openRefused("question");
    await visit.button("Cancel question.mp4").click();
    await visit.button("Cancel this upload").waitFor();
    const asking = await sample("asking.pdf", 3000);
    await visit.pick([asking.path]);
    await signOutInDialog(visit);
    await visit.page.getByRole("dialog").waitFor({ state: "detached" });
  });

  test("is not undone when the token that was given turns out to be good", async () => {
    await using visit = await openRefused("checked");
    const { page } = visit;
    const checked = Promise.withResolvers<undefined>();
    await page.route("**/api/v1/me", async (route) => {
      await checked.promise;
      await route.continue();
    });
    await visit.button("Go on checked.mp4").click();
    const [answer] = await Promise.all([
      page.waitForResponse("**/api/v1/me"),
      page.waitForRequest("**/api/v1/me").then(async () => {
        await signOutInDialog(visit);
        checked.resolve(undefined);
      }),
      visit.giveToken(await mintToken(server)),
    ]);
    await answer.finished();
    // The page has read the answer by the time that it has read another one.
    await page.evaluate(() => fetch("/").then((response) => response.text()));
    expect(await page.getByRole("heading", { name: "Sign in" }).isVisible()).toBe(true);
  });
});
