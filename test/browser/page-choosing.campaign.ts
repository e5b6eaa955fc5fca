import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { describe, expect, test, vi } from "vitest";

import { ServerProcess } from "../support/server-process.ts";
import { expectNamesakesStored, expectStored } from "./support/expect-stored.ts";
import { graphOf, PageVisit } from "./support/page-visit.ts";
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

const samples = shareSamples();
const { sample } = samples;

describe("dropped files and folders", () => {
  /** Drops one file and a folder with so many in a folder of its own. */
  async function dropMany(visit: PageVisit, folder: string, frames: number): Promise<void> {
    const { page } = visit;
    await visit.signIn(server.token);
    await page.getByText("Drop files or folders anywhere").waitFor();
    const loose = await sample(`${folder} loose.pdf`, 4000);
    const names = Array.from(
      { length: frames },
      (_, index) => `${folder}/roll/${folder}${index}.pdf`,
    );
    const inFolder = [`${folder}/${folder} beach.mp4`, ...names].map((name) => sample(name, 3000));
    const made = [loose, ...(await Promise.all(inFolder))];
    await writeFile(join(samples.directory, folder, ".DS_Store"), "of the system");
    await visit.drop([loose.path, join(samples.directory, folder)]);
    await page.getByRole("heading", { name: `${made.length} files on the server` }).waitFor();
    // Only rows near the window exist, and a directory may be read in any order.
    await visit.row(`${folder}/roll/`).first().waitFor();
    await expectStored(server, made);
    expect(visit.complaints).toEqual([]);
  }

  test("arrive, and what is the system's own is left out", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await dropMany(visit, "kept", 3);
  });

  test("arrive in browsers that give no handles and tell of a hundred files at a time", async () => {
    await using visit = await PageVisit.open(browser, server.url);
    await visit.page.addInitScript(() => {
      Reflect.deleteProperty(DataTransferItem.prototype, "getAsFileSystemHandle");
    });
    await visit.page.reload();
    await dropMany(visit, "lent", 101);
  });
});

test("a picked folder arrives with everything in it", async () => {
  await using visit = await PageVisit.open(browser, server.url);
  await visit.signIn(server.token);
  const names = ["voyage/out.pdf", "voyage/home/back.pdf"];
  const made = await Promise.all(names.map((name) => sample(name, 2000)));
  await visit.page.setInputFiles("#folder", join(samples.directory, "voyage"));
  for (const name of names) await visit.row(name).getByText("On the server").waitFor();
  await expectStored(server, made);
});

test("of what is dropped a file that cannot be read costs the others nothing", async () => {
  await using visit = await PageVisit.open(browser, server.url);
  const { page } = visit;
  await page.addInitScript(() => {
    const { prototype } = FileSystemFileHandle;
    const getFile = Reflect.get<FileSystemFileHandle, "getFile">(prototype, "getFile");
    prototype.getFile = function (this: FileSystemFileHandle) {
      if (this.name !== "gone.pdf") return getFile.call(this);
      return Promise.reject(new DOMException("it was moved away", "NotFoundError"));
    };
  });
  await page.reload();
  await visit.signIn(server.token);
  await page.getByText("Drop files or folders anywhere").waitFor();
  const made = await Promise.all(
    ["mixed/here.pdf", "mixed/gone.pdf", "mixed/there.pdf"].map((name) => sample(name, 2000)),
  );
  await visit.drop([join(samples.directory, "mixed")]);
  await page.getByRole("heading", { name: "2 files on the server" }).waitFor();
  await page.getByRole("status").getByText("1 file could not be read.").waitFor();
  await expectStored(
    server,
    made.filter(({ name }) => name !== "mixed/gone.pdf"),
  );
  expect(visit.complaints).toEqual([]);
});

test("files of the same name, length and time in two folders are two files", async () => {
  await using visit = await PageVisit.open(browser, server.url);
  const { page } = visit;
  await visit.signIn(server.token);
  await page.getByText("Drop files or folders anywhere").waitFor();
  const [one, other] = [await sample("one/same.pdf", 5000), await sample("other/same.pdf", 5000)];
  await Promise.all([one, other].map(({ path }) => utimes(path, 1_700_000_000, 1_700_000_000)));
  await visit.drop([join(samples.directory, "one")]);
  await visit.row("one/same.pdf").getByText("On the server").waitFor();
  await visit.drop([join(samples.directory, "other")]);
  await visit.row("other/same.pdf").getByText("On the server").waitFor();
  await visit.drop([join(samples.directory, "one")]);
  await page.getByText("This file is in the list already.").waitFor();
  await expectNamesakesStored(server, [one, other]);
});

test("a dropped file goes on after a reload without being picked again", async () => {
  await using proxy = await proxyWithFault(server, 12 * mib, "stall");
  await using visit = await PageVisit.open(browser, proxy.url);
  await visit.signIn(server.token, { remember: true });
  await visit.page.getByText("Drop files or folders anywhere").waitFor();
  const harbour = await sample("dropped.mp4", 20 * mib + 7);
  await visit.drop([harbour.path]);
  await untilFault(proxy);
  await visit.untilRemembered("dropped.mp4", ({ confirmed }) => confirmed > 0);
  await visit.page.reload();
  await visit.row("dropped.mp4").getByText("On the server").waitFor();
  await expectStored(server, [harbour]);
});

test("a changed file that is picked after a reload begins anew, and its row says so", async () => {
  await using proxy = await proxyWithFault(server, 12 * mib, "stall");
  await using visit = await PageVisit.open(browser, proxy.url);
  await visit.signIn(server.token, { remember: true });
  const draft = await sample("draft.mp4", 20 * mib);
  await visit.pick([draft.path]);
  await untilFault(proxy);
  await visit.untilRemembered("draft.mp4", ({ confirmed }) => confirmed > 0);
  await visit.page.reload();
  await visit.row("draft.mp4").getByText("again to go on").waitFor();
  const changed = await sample("draft.mp4", 3 * mib);
  await visit.pick([changed.path]);
  const row = visit.row("draft.mp4").filter({ hasText: "begun under this name; starting anew" });
  await row.getByText("On the server").waitFor();
  // What was begun of the draft is there too, still open.
  const { entries } = await graphOf(server).listUploads({ status: "complete" });
  const complete = entries.filter(({ name }) => name === changed.name);
  expect(complete.map(({ length }) => length)).toEqual([changed.bytes.length]);
  expect(visit.complaints).toEqual([]);
});

test("a picked file goes on after a reload, after a click where the browser wants one", async () => {
  await using proxy = await proxyWithFault(server, 12 * mib, "stall");
  await using visit = await PageVisit.open(browser, proxy.url);
  const { page } = visit;
  const length = 20 * mib + 7;
  // A file of the page's own file system stands for the one that a person would pick: its handle
  // is of the same kind, and can be kept.
  await page.addInitScript(() => {
    const pick = async () => {
      const directory = await navigator.storage.getDirectory();
      return [await directory.getFileHandle("picked.mp4")];
    };
    Object.assign(globalThis, { showOpenFilePicker: pick });
  });
  await page.reload();
  await page.evaluate(async (bytes) => {
    const directory = await navigator.storage.getDirectory();
    const handle = await directory.getFileHandle("picked.mp4", { create: true });
    const writable = await handle.createWritable();
    await writable.write(
      new Uint8Array(bytes).map((_, index) => Math.imul(index, 2_654_435_761) >>> 7),
    );
    await writable.close();
  }, length);
  await visit.signIn(server.token, { remember: true });
  await visit.button("Pick files").click();
  await untilFault(proxy);
  await visit.untilRemembered("picked.mp4", ({ confirmed }) => confirmed > 0);
  await page.addInitScript(() => {
    let permission = "prompt";
    Object.assign(FileSystemFileHandle.prototype, {
      queryPermission: () => Promise.resolve(permission),
      requestPermission: () => {
        permission = "granted";
        return Promise.resolve(permission);
      },
    });
  });
  await page.reload();
  await visit.row("picked.mp4").getByText("wants a click").waitFor();
  await visit.button("Go on picked.mp4").click();
  await visit.row("picked.mp4").getByText("On the server").waitFor();
  const bytes = Buffer.from(
    new Uint8Array(length).map((_, index) => Math.imul(index, 2_654_435_761) >>> 7),
  );
  await expectStored(server, [{ name: "picked.mp4", path: "", bytes }]);
});
