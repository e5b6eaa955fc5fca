// That the page serves whoever has no mouse, little room, or eyes that lose what jumps.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { describe, expect, test, vi } from "vitest";

import { ServerProcess } from "../support/server-process.ts";
import { expectStored } from "./support/expect-stored.ts";
import { graphOf, PageVisit, tokenForAll } from "./support/page-visit.ts";
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

const samples = shareSamples();
const { sample } = samples;

describe("by keyboard alone", () => {
  /** Runs in the page: what has the focus, once as it is read and once whether it is seen. */
  function focused() {
    const element = document.activeElement ?? document.body;
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : null;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const isSeen = element.matches(":focus-visible") && outlineStyle !== "none";
    return {
      name: (element.getAttribute("aria-label") ?? label ?? element.textContent).trim(),
      isSeen: isSeen && Number.parseFloat(outlineWidth) > 0,
    };
  }

  /** Runs in the page: what will have the focus in the very moment in which a dialog goes. */
  function watchFocus() {
    const gone = Promise.withResolvers<string | undefined>();
    const observer = new MutationObserver(() => {
      if (document.querySelector("dialog") !== null) return;
      observer.disconnect();
      gone.resolve(document.activeElement?.textContent);
    });
    observer.observe(document.body, { childList: true, subtree: true });
    return { afterwards: gone.promise };
  }

  /** Presses Tab until that has the focus, which must be seen wherever it goes. */
  async function tabTo(page: Page, name: string): Promise<void> {
    const passed: string[] = [];
    while (passed.length < 60) {
      await page.keyboard.press("Tab");
      const now = await page.evaluate(focused);
      passed.push(now.name);
      if (now.name !== name) continue;
      expect(now.isSeen, `the focus on ${name} is seen`).toBe(true);
      return;
    }
    throw new Error(`Tab never led to ${name}, only to ${passed.join(", ")}`);
  }

  async function press(page: Page, name: string, key: "Enter" | "Space"): Promise<void> {
    await tabTo(page, name);
    await page.keyboard.press(key);
  }

  async function choose(page: Page, { path }: SampleFile): Promise<void> {
    const chooser = page.waitForEvent("filechooser");
    await press(page, "Pick files", "Space");
    await (await chooser).setFiles(path);
  }

  test("one signs in, picks, pauses, goes on, cancels and publishes", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    // What it opens is no page: nothing here could answer it.
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, "showOpenFilePicker"));
    await page.reload();
    await page.getByLabel("Access token").waitFor();
    await tabTo(page, "Access token");
    await page.keyboard.type(server.token);
    await page.keyboard.press("Enter");
    await page.getByText("Drop files or folders anywhere").waitFor();
    await visit.setUplink(mib);
    await choose(page, await sample("barge.mp4", 30 * mib));
    await visit.someDurable("barge.mp4");
    await press(page, "Pause barge.mp4", "Enter");
    await visit.row("barge.mp4").getByText("Paused").waitFor();
    // The button that paused is the one that goes on: the focus stays.
    await page.keyboard.press("Space");
    await visit.row("barge.mp4").getByText("/s").waitFor();
    await press(page, "Cancel barge.mp4", "Enter");
    await page.getByRole("dialog").waitFor();
    await press(page, "Cancel this upload", "Enter");
    await visit.row("barge.mp4").getByText("Cancelled", { exact: true }).waitFor();
    const dory = await sample("dory.pdf", mib);
    await visit.setUplink(mib / 16);
    await choose(page, dory);
    await visit.row("dory.pdf").getByText("/s").waitFor();
    await tabTo(page, "Pause dory.pdf");
    await visit.setUplink(-1);
    await visit.row("dory.pdf").getByText("On the server").waitFor();
    // Details have taken the place of what paused.
    expect(await page.evaluate(focused)).toEqual({ name: "Detailsdory.pdf", isSeen: true });
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await press(page, "Publish", "Enter");
    await page.getByRole("textbox", { name: "File id" }).waitFor();
    const watched = await page.evaluateHandle(watchFocus);
    await page.keyboard.press("Escape");
    expect(await watched.evaluate(({ afterwards }) => afterwards)).toBe("Detailsdory.pdf");
    await expectStored(server, [dory]);
  });
});

test("what the browser closed without asking the page opens again", async () => {
  await using visit = await PageVisit.open(browser, server.url);
  const { page } = visit;
  await visit.signIn(server.token);
  await visit.pick([(await sample("ferry.pdf", mib)).path]);
  await visit.row("ferry.pdf").getByText("On the server").waitFor();
  const details = visit.row("ferry.pdf").getByRole("button", { name: "Details" });
  const dialog = page.getByRole("dialog");
  await details.click();
  await dialog.waitFor();
  // As a second Escape without a click before it does: the page hears of no cancel.
  await dialog.evaluate((element: HTMLDialogElement) => {
    element.close();
  });
  await page.locator("dialog").waitFor({ state: "detached" });
  await details.click();
  await dialog.waitFor();
});

test.each([1100, 360])(
  "nothing jumps %i pixels wide while uploads run and finish",
  async (width) => {
    await using visit = await PageVisit.open(browser, server.url, { width });
    const { page } = visit;
    await visit.signIn(server.token);
    await visit.setUplink(mib);
    const schooner = await sample(`schooner ${width}.mp4`, 12 * mib);
    const skiff = await sample(`skiff ${width}.mp4`, 2 * mib);
    await visit.pick([schooner.path, skiff.path]);
    await visit.row(schooner.name).getByText("/s").waitFor();
    await page.evaluate(() => {
      const shifts: unknown[] = [];
      Object.assign(globalThis, { shifts });
      new PerformanceObserver((list) => {
        // What follows a person's own deed within half a second is no jump.
        for (const entry of list.getEntries()) {
          if (!Reflect.get(entry, "hadRecentInput")) shifts.push(entry.toJSON());
        }
      }).observe({ type: "layout-shift" });
    });
    await visit.setUplink(4 * mib);
    await visit.row(schooner.name).getByText("On the server").waitFor();
    await page.getByRole("heading", { name: "2 files on the server" }).waitFor();
    // Two frames later the last change has been laid out and looked at.
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
        }),
    );
    expect(await page.evaluate(() => Reflect.get(globalThis, "shifts") as unknown)).toEqual([]);
  },
);

describe("on a screen of 360 pixels", () => {
  /** Fails if anything sticks out at the side of the page, or of what lies over it. */
  async function expectToFit(page: Page, state: string): Promise<void> {
    const outside = await page.evaluate(() => {
      const all = [document.documentElement, ...document.querySelectorAll("dialog")];
      return all.map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
    });
    expect(Math.max(...outside), `${state}: pixels outside`).toBeLessThanOrEqual(0);
  }

  test("every state of an upload fits", async () => {
    await using visit = await PageVisit.open(browser, server.url, { width: 360, height: 740 });
    const { page } = visit;
    await visit.signIn("not-a-token");
    await page.getByRole("alert").waitFor();
    await expectToFit(page, "a refused token");
    await visit.signIn(server.token, { remember: true });
    await page.getByText("Drop files or folders anywhere").waitFor();
    await expectToFit(page, "nothing sent yet");
    const name = "the very long name of a film of a harbour at dawn.mp4";
    const film = await sample(name, 30 * mib);
    await visit.setUplink(mib);
    await visit.pick([film.path]);
    await visit.someDurable(name);
    await expectToFit(page, "uploading");
    await visit.button(`Pause ${name}`).click();
    await visit.row(name).getByText("Paused").waitFor();
    await expectToFit(page, "paused");
    await visit.button(`Cancel ${name}`).click();
    await page.getByRole("dialog").waitFor();
    await expectToFit(page, "asked whether to cancel");
    await visit.button("No, keep it").click();
    await using second = await visit.openTab();
    await second.page.setViewportSize({ width: 360, height: 740 });
    await second.row(name).getByText("Paused in another tab").waitFor();
    await expectToFit(second.page, "elsewhere");
    await visit.setUplink(0);
    await page.getByText("You are offline.").first().waitFor();
    await expectToFit(page, "offline");
    await visit.setUplink(-1);
    await visit.untilRemembered(name, ({ phase }) => phase === "paused");
    await page.reload();
    await visit.row(name).getByText("again to go on").waitFor();
    await expectToFit(page, "to be picked again");
    await visit.button(`Cancel ${name}`).click();
    await visit.button("Cancel this upload").click();
    await visit.row(name).getByText("Cancelled", { exact: true }).waitFor();
    await expectToFit(page, "cancelled");
    await writeFile(join(samples.directory, "notes.txt"), "nothing that anybody takes");
    const small = await sample(`small ${name}`, 1000);
    await visit.pick([join(samples.directory, "notes.txt"), small.path]);
    await visit.row("notes.txt").getByText("does not take").waitFor();
    await visit.row(small.name).getByText("On the server").waitFor();
    await expectToFit(page, "failed and finished");
    await visit.button(`Details ${small.name}`).click();
    await visit.button("Publish").click();
    await page.getByRole("textbox", { name: "File id" }).waitFor();
    await expectToFit(page, "published");
  });

  test("the live view fits", async () => {
    const name = "the very long name of an upload that nobody sends.pdf";
    const type = "application/pdf";
    const id = await graphOf(server).start({ name, type, length: 9 });
    await using visit = await PageVisit.open(browser, `${server.url}/#live`, { width: 360 });
    const { page } = visit;
    await visit.signIn(await tokenForAll(server));
    await page.locator(".live-row").filter({ hasText: name }).waitFor();
    await page.locator(".plot canvas").waitFor();
    await expectToFit(page, "live");
    await visit.button(`Expire ${name}`).click();
    await page.getByRole("dialog").waitFor();
    await expectToFit(page, "asked whether to expire");
    await visit.button("No, keep it").click();
    await page.getByRole("button", { name: /^Stalled/ }).click();
    await page.getByText("None has stalled.").waitFor();
    await expectToFit(page, "no stalled ones");
    await graphOf(server).cancel(id);
  });
});
