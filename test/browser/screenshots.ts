// Makes the pictures of docs/page.md: `npm run screenshots`.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { RawConnection } from "../support/raw-http.ts";
import { patternBytes } from "../support/seeded.ts";
import { repositoryDirectory, ServerProcess } from "../support/server-process.ts";
import { chromiumMissing, launchChromium } from "./support/chromium.ts";
import type { PageVisitOptions } from "./support/page-visit.ts";
import { administer, graphOf, mintToken, PageVisit, tokenForAll } from "./support/page-visit.ts";

const mb = 1_000_000;
const pictures = join(repositoryDirectory, "docs/page");
const phone: PageVisitOptions = { width: 360, height: 740 };
const slow = 4 * mb;
const films = ["harbour at dawn.mp4", "regatta.mp4", "lighthouse.mp4"];
/** More than are sent at a time. */
const waitingFilms = ["slipway.mp4", "moorings.mp4"];

interface Scene {
  readonly browser: Browser;
  readonly server: ServerProcess;
  readonly token: string;
  /** Of the files that are uploaded, by name. */
  readonly path: (name: string) => string;
}

async function main(): Promise<void> {
  if (chromiumMissing !== undefined) throw new Error(chromiumMissing);
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "hawser-pictures-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const server = parts.use(await ServerProcess.start());
  const browser = await launchChromium();
  parts.defer(() => browser.close());
  const path = (name: string) => join(directory, name);
  await mkdir(pictures, { recursive: true });
  await makeFiles(path);
  const scene = { browser, server, token: await tokenForAll(server), path };
  await signingIn(scene);
  await beingRefused(scene);
  await interrupting(scene);
  await uploading(scene, { suffix: "", options: { height: 860 } });
  await uploading(scene, { suffix: "-dark", options: { height: 860, dark: true } });
  await uploading(scene, { suffix: "-phone", options: phone });
  await finishing(scene, { suffix: "", options: { height: 860 } });
  await finishing(scene, { suffix: "-dark", options: { height: 860, dark: true } });
  await finishing(scene, { suffix: "-phone", options: phone });
  await operating(scene, { suffix: "", options: { height: 1000 } });
  await operating(scene, { suffix: "-dark", options: { height: 1000, dark: true } });
  await operating(scene, { suffix: "-phone", options: phone });
}

async function makeFiles(path: Scene["path"]): Promise<void> {
  for (const [index, name] of [...films, ...waitingFilms].entries()) {
    const bytes = patternBytes({ seed: index + 1, length: (24 + 9 * index) * mb });
    bytes.write("\0\0\0\x18ftypmp42", 0, "latin1");
    await writeFile(path(name), bytes);
  }
  await writeFile(path("crew list.pdf"), `%PDF-1.4\n${"crew ".repeat(9000)}`);
  await writeFile(path("notes.txt"), "nothing that the server takes");
}

async function shoot({ page }: PageVisit, name: string, fullPage = false): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage });
}

async function signingIn({ browser, server, token }: Scene): Promise<void> {
  await using visit = await PageVisit.open(browser, server.url);
  await shoot(visit, "sign-in");
  await visit.signIn("not-a-token");
  await visit.page.getByRole("alert").waitFor();
  await shoot(visit, "sign-in-refused");
  await visit.signIn(token);
  await visit.page.getByText("Drop files or folders anywhere").waitFor();
  await shoot(visit, "empty");
}

async function beingRefused({ browser, server, path }: Scene): Promise<void> {
  const token = await mintToken(server);
  await using visit = await PageVisit.open(browser, server.url);
  await visit.signIn(token);
  await visit.page.getByText("Drop files or folders anywhere").waitFor();
  await visit.setUplink(slow);
  await visit.pick([path("harbour at dawn.mp4")]);
  await visit.someDurable("harbour at dawn.mp4");
  await administer(server, "/admin/v1/tokens/revoke", { token });
  await visit.page.getByRole("dialog").waitFor();
  await shoot(visit, "fresh-token");
}

/** A server of its own, which is killed and held up. */
async function interrupting({ browser, path }: Scene): Promise<void> {
  await using server = await ServerProcess.start();
  await using visit = await PageVisit.open(browser, server.url, { height: 860 });
  const { page } = visit;
  await visit.signIn(server.token, { remember: true });
  await page.getByText("Drop files or folders anywhere").waitFor();
  await visit.setUplink(slow);
  await visit.pick([...films, ...waitingFilms].map(path));
  for (const name of films) await visit.someDurable(name);
  await visit.row("moorings.mp4").getByText("Waiting for its turn").waitFor();
  await shoot(visit, "queued");
  await server.kill9();
  for (const name of films) await visit.row(name).getByText("Going on by itself").waitFor();
  await shoot(visit, "retrying");
  await server.restart({ samePort: true });
  await visit.row("regatta.mp4").getByText("/s").waitFor();
  await visit.button("Pause all").click();
  await visit.untilRemembered("regatta.mp4", ({ phase }) => phase === "paused");
  await page.reload();
  await visit.row("regatta.mp4").getByText("again to go on").waitFor();
  server.signal("SIGSTOP");
  await visit.pick([path("regatta.mp4")]);
  await visit.row("regatta.mp4").getByText("Comparing with what the server has").waitFor();
  await shoot(visit, "checking");
}

interface Look {
  readonly suffix: string;
  readonly options: PageVisitOptions;
}

async function uploading(scene: Scene, { suffix, options }: Look): Promise<void> {
  const { browser, server, token, path } = scene;
  await using visit = await PageVisit.open(browser, server.url, options);
  const { page } = visit;
  await visit.signIn(token, { remember: true });
  await page.getByText("Drop files or folders anywhere").waitFor();
  await visit.pick([path("crew list.pdf"), path("notes.txt")]);
  await visit.row("crew list.pdf").getByText("On the server").waitFor();
  await visit.setUplink(slow);
  await visit.pick(films.map(path));
  await page.locator('.row.sending .rope-bar:not([aria-valuenow="0"])').first().waitFor();
  await page.waitForTimeout(1500);
  await shoot(visit, `uploading${suffix}`);
  await visit.button("Pause regatta.mp4").click();
  await visit.row("regatta.mp4").getByText("Paused").waitFor();
  await shoot(visit, `paused${suffix}`);
  // However long the other tab takes to open, none is finished meanwhile.
  await visit.setUplink(slow / 16);
  await using second = await visit.openTab();
  const size = page.viewportSize();
  if (size !== null) await second.page.setViewportSize(size);
  await second.row("regatta.mp4").getByText("Paused in another tab").waitFor();
  await shoot(second, `elsewhere${suffix}`);
  await visit.button("Cancel harbour at dawn.mp4").click();
  await page.getByRole("dialog").waitFor();
  await shoot(visit, `cancel-question${suffix}`);
  await visit.button("Cancel this upload").click();
  await visit.row("harbour at dawn.mp4").getByText("Cancelled", { exact: true }).waitFor();
  await visit.setUplink(slow / 4);
  await page.waitForTimeout(1500);
  await shoot(visit, `cancelled${suffix}`);
  await visit.setUplink(0);
  await page.getByText("You are offline.").first().waitFor();
  await page.waitForTimeout(1500);
  // There nothing of a row is below the notice.
  await page.evaluate(() => {
    scrollTo(0, document.documentElement.scrollHeight);
  });
  await shoot(visit, `offline${suffix}`);
  await visit.button("Pause all").click();
  await page.waitForTimeout(2500);
  await visit.setUplink(-1);
  await page.reload();
  await visit.row("regatta.mp4").getByText("again to go on").waitFor();
  await shoot(visit, `reloaded${suffix}`);
}

async function finishing(scene: Scene, { suffix, options }: Look): Promise<void> {
  const { browser, server, token, path } = scene;
  await using visit = await PageVisit.open(browser, server.url, options);
  const { page } = visit;
  await visit.signIn(token);
  await page.getByText("Drop files or folders anywhere").waitFor();
  // What the page looked like a moment ago is as good a picture as any.
  await visit.pick([join(pictures, "empty.png"), path("crew list.pdf")]);
  await page.getByRole("heading", { name: "2 files on the server" }).waitFor();
  await shoot(visit, `finished${suffix}`);
  await visit.button("Details empty.png").click();
  await page.locator("img.look").waitFor();
  await visit.button("Publish").click();
  await page.getByRole("textbox", { name: "File id" }).waitFor();
  await shoot(visit, `published${suffix}`);
  await visit.button("Close").click();
  await visit.pick([path("notes.txt")]);
  await visit.button("Retry notes.txt").waitFor();
  await shoot(visit, `failed${suffix}`);
}

async function operating(scene: Scene, { suffix, options }: Look): Promise<void> {
  const { browser, server, token, path } = scene;
  const left = await graphOf(server).listUploads({ status: "open", limit: 100 });
  for (const { id } of left.entries) await graphOf(server).cancel(id);
  await using sender = await PageVisit.open(browser, server.url);
  await sender.signIn(token);
  await sender.page.getByText("Drop files or folders anywhere").waitFor();
  await sender.setUplink(slow / 4);
  await using visit = await PageVisit.open(browser, `${server.url}/#live`, options);
  await visit.signIn(token);
  await visit.page.locator(".plot canvas").waitFor();
  // Only now: the server cuts a body that is silent for half a minute.
  using parts = new DisposableStack();
  parts.use(await beginAndStall(server));
  await sender.pick([path("lighthouse.mp4"), path("harbour at dawn.mp4")]);
  const rows = visit.page.locator(".live-row");
  await rows.filter({ hasText: "lighthouse.mp4" }).getByText("sending").waitFor();
  await rows.filter({ hasText: "soundings.pdf" }).getByText("stalled for").waitFor();
  await shoot(visit, `operator${suffix}`, true);
  await visit.button("Expire lighthouse.mp4").first().click();
  await visit.page.getByRole("dialog").waitFor();
  await shoot(visit, `expire-question${suffix}`);
}

/** Sends a part of a body, and then nothing. */
async function beginAndStall({ address: url, appId, token, port }: ServerProcess) {
  const api = new GraphApi({ url, appId, token });
  const id = await api.start({ file_name: "soundings.pdf", file_length: 12 * mb });
  const connection = await RawConnection.open({ host: "127.0.0.1", port });
  await connection.sendHead(api.appendHead(id, 12 * mb));
  await connection.write("%PDF-1.4\n".padEnd(5 * mb));
  return connection;
}

await main();
