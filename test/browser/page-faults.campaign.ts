import type { Browser } from "playwright-core";
import { describe, expect, test, vi } from "vitest";

import { GraphPeer } from "../fault/graph-peer.ts";
import { startDocumentedProxy } from "../support/documented-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { ServerProcess } from "../support/server-process.ts";
import type { TcpProxy } from "../support/tcp-proxy.ts";
import { accessibilityFaults } from "./support/accessibility.ts";
import { expectStored } from "./support/expect-stored.ts";
import { administer, graphOf, mintToken, PageVisit } from "./support/page-visit.ts";
import { proxyWithFault, untilFault } from "./support/proxy-with-fault.ts";
import type { SampleFile } from "./support/sample-file.ts";
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

function carried(proxy: TcpProxy): number {
  return proxy.connections.reduce((sum, { toServerBytes }) => sum + toServerBytes, 0);
}

/** How many bytes of the open upload of that name are durable, once nobody is sending it. */
async function settledOffset(name: string): Promise<number> {
  const { entries } = await graphOf(server).listUploads({ status: "open" });
  const { id } = entries.find((entry) => entry.name === name) ?? expect.unreachable("not begun");
  // Who asks in tus means to go on: the request that may still be there is ended.
  return new GraphPeer(server).offset(id, "tus");
}

test("an upload whose connection is cut in the middle goes on there", async () => {
  await using proxy = await proxyWithFault(server, 12 * mib, "reset");
  await using visit = await PageVisit.open(browser, proxy.url);
  await visit.signIn(server.token);
  const harbour = await sample("cut.mp4", 20 * mib + 7);
  await visit.pick([harbour.path]);
  await visit.row("cut.mp4").getByText("On the server").waitFor();
  expect(proxy.connections.map(({ happened }) => happened)).toContain("reset");
  await expectStored(server, [harbour]);
});

test("after a reload in the middle the same file goes on where it was, once it is picked", async () => {
  await using proxy = await proxyWithFault(server, 12 * mib, "stall");
  await using visit = await PageVisit.open(browser, proxy.url);
  await visit.signIn(server.token, { remember: true });
  const harbour = await sample("reloaded.mp4", 20 * mib + 7);
  await visit.pick([harbour.path]);
  await untilFault(proxy);
  const { confirmed } = await visit.untilRemembered("reloaded.mp4", (row) => row.confirmed > 0);
  await visit.page.reload();
  const row = visit.row("reloaded.mp4");
  await row.getByText("Pick reloaded.mp4 again to go on").waitFor();
  const percent = Math.floor((confirmed / harbour.bytes.length) * 100);
  expect(await visit.someDurable("reloaded.mp4")).toBeGreaterThanOrEqual(percent);
  // The last bytes that came through may wait in the request that stalled: the page would be
  // refused once, with all that it had sent by then.
  const offset = await settledOffset("reloaded.mp4");
  const before = carried(proxy);
  await visit.pick([harbour.path]);
  await row.getByText("On the server").waitFor();
  await expectStored(server, [harbour]);
  // The rest, and what requests are made of.
  expect(carried(proxy) - before).toBeLessThan(harbour.bytes.length - offset + mib / 4);
});

test("an upload goes on by itself when the server was killed and is started again", async () => {
  await using own = await ServerProcess.start();
  await using visit = await PageVisit.open(browser, own.url);
  await visit.signIn(own.token);
  await visit.setUplink(4 * mib);
  const harbour = await sample("restarted.mp4", 40 * mib + 7);
  await visit.pick([harbour.path]);
  await visit.someDurable("restarted.mp4");
  await own.kill9();
  await visit.row("restarted.mp4").getByText("Going on by itself").waitFor();
  await visit.setUplink(-1);
  await own.restart({ samePort: true });
  await visit.row("restarted.mp4").getByText("On the server").waitFor();
  await expectStored(own, [harbour]);
});

test("a proxy that takes 1 MiB at a time is given no more", async ({ skip }) => {
  const change = ["client_max_body_size 0;", "client_max_body_size 1m;"] as const;
  const started = await startDocumentedProxy("nginx", server.address, { changes: [change] });
  if (typeof started === "string") return skip(started);
  await using proxy = started;
  await using visit = await PageVisit.open(browser, proxy.url.origin);
  const statuses: number[] = [];
  visit.page.on("response", (response) => statuses.push(response.status()));
  await visit.signIn(server.token);
  const harbour = await sample("narrow.mp4", 10 * mib + 7);
  await visit.pick([harbour.path]);
  await visit.row("narrow.mp4").getByText("On the server").waitFor();
  expect(statuses).toContain(413);
  await expectStored(server, [harbour]);
});

describe("two tabs", () => {
  test("with the same file send it once, and both have it", async () => {
    await using first = await PageVisit.open(browser, server.url);
    await first.signIn(server.token, { remember: true });
    await first.page.getByText("Drop files or folders anywhere").waitFor();
    await using second = await first.openTab();
    await second.page.getByText("Drop files or folders anywhere").waitFor();
    await first.setUplink(mib);
    const harbour = await sample("twice.mp4", 20 * mib + 7);
    await first.pick([harbour.path]);
    await first.untilRemembered("twice.mp4", ({ phase }) => phase === "sending");
    // Before the second picks it, whose row might be remembered too.
    await using third = await first.openTab();
    await third.row("twice.mp4").getByText("is being sent already").waitFor();
    await second.pick([harbour.path]);
    await second.row("twice.mp4").getByText("is being sent already").waitFor();
    await first.button("Pause twice.mp4").click();
    for (const visit of [second, third]) {
      await visit.row("twice.mp4").getByText("Paused in another tab").waitFor();
    }
    await first.button("Go on twice.mp4").click();
    for (const visit of [second, third]) {
      await visit.row("twice.mp4").getByText("is being sent already").waitFor();
    }
    await first.setUplink(-1);
    for (const visit of [first, second, third]) {
      await visit.row("twice.mp4").getByText("On the server").waitFor();
    }
    await expectStored(server, [harbour]);
  });

  test("give a file up together, however the waiting one came to it", async () => {
    await using first = await PageVisit.open(browser, server.url);
    await first.signIn(server.token, { remember: true });
    await first.page.getByText("Drop files or folders anywhere").waitFor();
    await using second = await first.openTab();
    await second.page.getByText("Drop files or folders anywhere").waitFor();
    await first.setUplink(mib);
    const harbour = await sample("given up.mp4", 40 * mib + 7);
    await first.pick([harbour.path]);
    await first.someDurable("given up.mp4");
    await first.untilRemembered("given up.mp4", ({ phase }) => phase === "sending");
    // Before the second picks it, whose row might be remembered too.
    await using third = await first.openTab();
    await third.row("given up.mp4").getByText("is being sent already").waitFor();
    await second.pick([harbour.path]);
    await second.row("given up.mp4").getByText("is being sent already").waitFor();
    await first.button("Cancel given up.mp4").click();
    await first.button("Cancel this upload").click();
    for (const visit of [first, second, third]) {
      await visit.row("given up.mp4").getByText("Cancelled", { exact: true }).waitFor();
    }
    const gone = async () => {
      const { entries } = await graphOf(server).listUploads({ status: "open" });
      return entries.every(({ name }) => name !== "given up.mp4") || undefined;
    };
    await eventually(gone, { what: "the upload to be given up", timeoutMs: 60_000 });
    for (const visit of [second, third]) {
      await visit.button("Retry given up.mp4").waitFor();
    }
  });

  test("share a file out: when one is closed in the middle, the other goes on", async () => {
    await using staying = await PageVisit.open(browser, server.url);
    await staying.signIn(server.token, { remember: true });
    await staying.page.getByText("Drop files or folders anywhere").waitFor();
    const harbour = await sample("left.mp4", 40 * mib + 7);
    {
      await using closing = await staying.openTab();
      await closing.page.getByText("Drop files or folders anywhere").waitFor();
      await closing.setUplink(mib);
      await closing.pick([harbour.path]);
      await closing.row("left.mp4").getByText("/s").waitFor();
      await staying.pick([harbour.path]);
      await staying.row("left.mp4").getByText("is being sent already").waitFor();
      await closing.someDurable("left.mp4");
    }
    await staying.row("left.mp4").getByText("On the server").waitFor();
    await expectStored(server, [harbour]);
  });
});

test("two tabs that cannot know of each other, as without TLS, mix up no byte", async () => {
  /** A page that came without TLS has no locks. */
  async function withoutLocks({ page }: PageVisit): Promise<void> {
    await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "locks"));
    await page.reload();
    await page.getByText("Drop files or folders anywhere").waitFor();
  }
  await using first = await PageVisit.open(browser, server.url);
  await first.signIn(server.token, { remember: true });
  await first.page.getByText("Drop files or folders anywhere").waitFor();
  await withoutLocks(first);
  await using second = await first.openTab();
  await withoutLocks(second);
  const harbour = await sample("fought over.mp4", 40 * mib + 7);
  for (const visit of [first, second]) {
    await visit.setUplink(4 * mib);
    await visit.pick([harbour.path]);
    await visit.row(harbour.name).getByText("/s").waitFor();
  }
  await first.row(harbour.name).getByText("Going on by itself").waitFor();
  for (const visit of [first, second]) await visit.setUplink(-1);
  for (const visit of [first, second]) {
    await visit.row(harbour.name).getByText("On the server").waitFor();
  }
  await expectStored(server, [harbour]);
});

describe("a token that is refused in the middle", () => {
  const title = "A fresh token is needed";

  async function pauseInTheMiddle(visit: PageVisit, file: SampleFile): Promise<void> {
    await visit.setUplink(mib / 2);
    await visit.pick([file.path]);
    await visit.row(file.name).getByText("/s").waitFor();
    await visit.button(`Pause ${file.name}`).click();
    await visit.row(file.name).getByText("Paused").waitFor();
    await visit.setUplink(-1);
  }

  /**
   * From now on the server is shown a token that has expired in place of this one: however long a
   * token is good for, signing in and beginning might take longer, or the test wait for nothing.
   */
  async function expire({ page }: PageVisit, token: string): Promise<void> {
    const expired = await mintToken(server, { expiresAt: new Date(0).toISOString() });
    await page.route("**/*", async (route) => {
      const { authorization = "", ...headers } = await route.request().allHeaders();
      const shown = authorization.replace(token, expired);
      await route.continue(
        authorization === shown ? {} : { headers: { ...headers, authorization: shown } },
      );
    });
  }

  async function untilRefused(token: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}` };
    const ask = async () => {
      const { status } = await fetch(`${server.url}/api/v1/me`, { headers });
      return status === 401 ? status : undefined;
    };
    await eventually(ask, { what: "the token to be refused", timeoutMs: 60_000 });
  }

  test("because it expired is asked for anew until a good one is given, and the upload goes on", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    const harbour = await sample("expiring.mp4", 20 * mib + 7);
    const token = await mintToken(server);
    await visit.signIn(token, { remember: true });
    await pauseInTheMiddle(visit, harbour);
    await expire(visit, token);
    await visit.button("Go on expiring.mp4").click();
    const dialog = page.getByRole("dialog", { name: title });
    await dialog.waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await visit.giveToken("not-a-token");
    await dialog.getByText("does not know this token").waitFor();
    const other = "777000000003";
    await administer(server, "/admin/v1/apps", { id: other });
    await visit.giveToken(await mintToken(server, { appId: other }));
    await dialog.getByText("another app's").waitFor();
    await page.unrouteAll();
    await visit.giveToken(await mintToken(server));
    await dialog.waitFor({ state: "detached" });
    await visit.row("expiring.mp4").getByText("On the server").waitFor();
    await expectStored(server, [harbour]);
    // Whoever wanted to stay signed in is, with the fresh one.
    await visit.untilRemembered("expiring.mp4", ({ phase }) => phase === "finished");
    await page.reload();
    await visit.row("expiring.mp4").getByText("On the server").waitFor();
  });

  test("because it was revoked pauses the upload when none is given, until one goes on", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    const harbour = await sample("declined.mp4", 20 * mib + 7);
    const token = await mintToken(server);
    await visit.signIn(token);
    await pauseInTheMiddle(visit, harbour);
    await administer(server, "/admin/v1/tokens/revoke", { token });
    await untilRefused(token);
    await visit.button("Go on declined.mp4").click();
    const dialog = page.getByRole("dialog", { name: title });
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await visit.row("declined.mp4").getByText("Paused").waitFor();
    await visit.button("Go on declined.mp4").click();
    await dialog.waitFor();
    await visit.giveToken(await mintToken(server));
    await visit.row("declined.mp4").getByText("On the server").waitFor();
    await expectStored(server, [harbour]);
  });
});

test("five hundred files arrive, and a reload right after knows all of them", async () => {
  await using visit = await PageVisit.open(browser, server.url);
  const { page } = visit;
  await visit.signIn(server.token, { remember: true });
  await page.getByText("Drop files or folders anywhere").waitFor();
  const names = Array.from({ length: 500 }, (_, index) => `sheet ${index + 1}.pdf`);
  const sheets = await Promise.all(names.map((name, index) => sample(name, 100 + 41 * index)));
  await visit.pick(sheets.map(({ path }) => path));
  const all = page.getByRole("heading", { name: "500 files on the server" });
  await all.waitFor({ timeout: 120_000 });
  await page.reload();
  await all.waitFor();
  expect(visit.complaints).toEqual([]);
  await expectStored(server, sheets);
}, 240_000);
