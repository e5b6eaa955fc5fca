import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";
import { chromiumMissing, launchChromium } from "./support/chromium.ts";
import { PageServer } from "./support/page-server.ts";

test("the example's page uploads what is picked", { timeout: 90_000 }, async ({ skip }) => {
  if (chromiumMissing !== undefined) skip(chromiumMissing);
  await using server = await ServerProcess.start();
  await using site = await PageServer.start({
    html: "examples/browser/index.html",
    program: "examples/browser/main.ts",
  });
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "hawser-example-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const file = join(directory, "film.mp4");
  await writeFile(file, patternBytes({ seed: 1, length: 3_000_000 }));
  const browser = await launchChromium();
  parts.defer(() => browser.close());
  const page = await browser.newPage();
  const given = new URLSearchParams({ url: server.url, app: server.appId, token: server.token });
  await page.goto(`${site.url}/#${given.toString()}`);
  await page.setInputFiles("#file", file);
  const said = page.locator("#said", { hasText: /^done|\./ });
  expect(await said.textContent()).toMatch(/^done, from byte 0 on: \d:/);
});
