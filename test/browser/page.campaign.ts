import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { graphOf, PageVisit, tokenForAll } from "./support/page-visit.ts";
import { shareBrowser } from "./support/share-browser.ts";

const axeScript = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const mib = 1024 * 1024;

let server: ServerProcess;
let browser: Browser;
let directory: string;

shareBrowser(async (launched, parts) => {
  browser = launched;
  server = parts.use(await ServerProcess.start());
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-page-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** A film as far as the server looks into it. */
async function film(name: string, length: number): Promise<string> {
  const bytes = patternBytes({ seed: length + name.length, length });
  bytes.write("\0\0\0\x18ftypmp42", 0, "latin1");
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

/** What axe finds wrong, one line each. */
async function faultsOf({ page }: PageVisit): Promise<string[]> {
  // Evaluated from outside, which the page's own policy does not concern.
  await page.evaluate(axeScript);
  return page.evaluate(async () => {
    // Put there by the script above.
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

describe("signing in", () => {
  test("with a wrong token says what to do, with the right one shows where to drop", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    await visit.signIn("not-a-token");
    await page.getByRole("alert").getByText("does not know this token").waitFor();
    expect(await faultsOf(visit)).toEqual([]);
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
});

describe("uploading", () => {
  test("ends with a handle and a published file that has the same bytes", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    await visit.signIn(server.token);
    const path = await film("regatta.mp4", 9 * mib + 1);
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
    expect(Buffer.concat(chunks).equals(readFileSync(path))).toBe(true);
    expect(await faultsOf(visit)).toEqual([]);
    expect(visit.complaints).toEqual([]);
  });

  test("can be paused and gone on with", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.signIn(server.token);
    await visit.setUplink(4 * mib);
    await visit.pick([await film("ferry.mp4", 20 * mib)]);
    const row = visit.row("ferry.mp4");
    await row.getByText("/s").waitFor();
    await visit.button("Pause ferry.mp4").click();
    await row.getByText("Paused").waitFor();
    await visit.setUplink(-1);
    await visit.button("Go on ferry.mp4").click();
    await row.getByText("On the server").waitFor();
  });

  test("goes on by itself when the network comes back", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.signIn(server.token);
    await visit.setUplink(4 * mib);
    await visit.pick([await film("lighthouse.mp4", 20 * mib)]);
    await visit.row("lighthouse.mp4").getByText("/s").waitFor();
    await visit.setUplink(0);
    await visit.page.getByText("You are offline.").first().waitFor();
    await visit.setUplink(-1);
    await visit.row("lighthouse.mp4").getByText("On the server").waitFor();
  });

  test("goes on after a reload once the file is picked again", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.signIn(server.token, { remember: true });
    await visit.setUplink(6 * mib);
    const path = await film("harbour.mp4", 30 * mib);
    await visit.pick([path]);
    const bar = visit.page.getByRole("progressbar", { name: "harbour.mp4" });
    const durable = await eventually(
      async () => {
        const value = Number(await bar.getAttribute("aria-valuenow"));
        return value > 0 ? value : undefined;
      },
      { what: "some bytes to be durable" },
    );
    await visit.button("Pause harbour.mp4").click();
    await visit.row("harbour.mp4").getByText("Paused").waitFor();
    // What is remembered is written a moment later.
    await visit.page.waitForTimeout(500);
    await visit.page.reload();
    await visit.row("harbour.mp4").getByText("Pick harbour.mp4 again to go on").waitFor();
    expect(Number(await bar.getAttribute("aria-valuenow"))).toBeGreaterThanOrEqual(durable);
    await visit.pick([path]);
    await visit.row("harbour.mp4").getByText("On the server").waitFor();
    const { entries } = await graphOf(server).listUploads({ limit: 100 });
    expect(entries.filter(({ name }) => name === "harbour.mp4")).toHaveLength(1);
  });

  test("of a file that the server does not take says why, and what is cancelled is gone", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.signIn(server.token);
    await writeFile(join(directory, "notes.xyz"), "nothing that anybody takes");
    await visit.pick([join(directory, "notes.xyz")]);
    const row = visit.row("notes.xyz");
    await visit.button("Retry notes.xyz").waitFor();
    expect(await row.textContent()).toMatch(/type/i);
    await visit.button("Cancel notes.xyz").click();
    await row.getByText("Cancelled").waitFor();
    expect(await faultsOf(visit)).toEqual([]);
  });

  test("of five thousand files keeps only the rows in sight", async () => {
    await using visit = await PageVisit.open(browser, server.url, { width: 360 });
    await visit.signIn(server.token);
    await visit.setUplink(0);
    await visit.page.evaluate(() => {
      const chosen = new DataTransfer();
      for (let number = 0; number < 5000; number += 1) {
        chosen.items.add(new File([`%PDF-${number}`], `${number}.pdf`));
      }
      const input = document.querySelector<HTMLInputElement>("#files");
      if (input === null) throw new Error("nothing to pick files with");
      input.files = chosen.files;
      input.dispatchEvent(new Event("change"));
    });
    await visit.page.getByRole("button", { name: "All 5,000" }).waitFor();
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
  }, 60_000);
});

describe("an operator", () => {
  test("sees an upload and can cancel it", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    const { page } = visit;
    await visit.signIn(await tokenForAll(server));
    await page.getByRole("link", { name: "Live" }).click();
    const name = "anchor.pdf";
    const id = await graphOf(server).start({ name, type: "application/pdf", length: 1000 });
    const row = page.locator(".live-row").filter({ hasText: name });
    await row.waitFor();
    expect(await faultsOf(visit)).toEqual([]);
    await row.getByRole("button", { name: `Cancel ${name}` }).click();
    await visit.button("Cancel this upload").click();
    await row.waitFor({ state: "detached" });
    await expect(graphOf(server).status(id)).rejects.toMatchObject({ code: "gone" });
    expect(visit.complaints).toEqual([]);
  });
});
