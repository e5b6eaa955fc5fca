// That a clone becomes a running server, and a file is on it, by what the README says alone.
import { execFile, spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { expect, test, type TestContext } from "vitest";

import { chromiumMissing, launchChromium } from "../browser/support/chromium.ts";
import { PageVisit } from "../browser/support/page-visit.ts";
import { sampleFile } from "../browser/support/sample-file.ts";
import { within } from "../support/eventually.ts";
import { signalWorkingProcess } from "../support/process-tree.ts";
import { repositoryDirectory } from "../support/server-process.ts";
import { noRegistry, shellEnvironment } from "./packed-packages.ts";

const run = promisify(execFile);
/** Hang guards, for machines that do other things too. */
const timeout = 8 * 60_000;
const startMsMax = 7 * 60_000;

/** A shell that knows nothing of this checkout, whose Node may be another. */
function newcomersEnvironment(): NodeJS.ProcessEnv {
  const { PATH = "", ...others } = shellEnvironment(process.execPath);
  const directories = PATH.split(delimiter);
  const known = directories.filter((directory) => !directory.startsWith(repositoryDirectory));
  return { ...others, PATH: known.join(delimiter) };
}

/** What a clone has: the files that are tracked, and nothing built or installed. */
async function copyTracked(target: string): Promise<void> {
  const { stdout } = await run("git", ["ls-files", "-z"], { cwd: repositoryDirectory });
  for (const name of stdout.split("\0").filter(Boolean)) {
    await mkdir(dirname(join(target, name)), { recursive: true });
    await copyFile(join(repositoryDirectory, name), join(target, name));
  }
}

async function firstBlock(page: string): Promise<string> {
  const block = /^```sh\n(.*?)^```$/ms.exec(await readFile(page, "utf8"))?.[1];
  if (block === undefined) throw new Error(`${page} has no block for a shell`);
  return block;
}

interface Printed {
  readonly url: string;
  readonly token: string;
}

/** Runs it in that directory until the test is over; answers what it tells whoever reads along. */
async function begin(block: string, clone: string, context: TestContext): Promise<Printed> {
  // The README's port may be another's here.
  const env = { ...newcomersEnvironment(), HAWSER_PORT: "0" };
  const child = spawn("sh", ["-c", block], { cwd: clone, env, stdio: ["ignore", "pipe", "pipe"] });
  const { pid } = child;
  if (pid === undefined) throw new Error("no shell could be started");
  const ended = new Promise((resolve) => child.once("close", resolve));
  context.onTestFinished(async () => {
    if (child.exitCode === null) signalWorkingProcess(pid, "SIGTERM");
    await ended;
  });
  const lines: string[] = [];
  const found = (pattern: RegExp) => pattern.exec(lines.join("\n"))?.[1];
  const told = Promise.withResolvers<Printed>();
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      const [url, token] = [found(/^listening on (\S+)$/m), found(/^ +token +(\S+)$/m)];
      if (url !== undefined && token !== undefined) told.resolve({ url, token });
    });
  }
  void ended.then(() => {
    told.reject(new Error(`it ended:\n${lines.join("\n")}`));
  });
  return within(told.promise, { what: "the address and the token", timeoutMs: startMsMax });
}

test("what the README begins with leads to a file on the server", { timeout }, async (context) => {
  if (chromiumMissing !== undefined) return context.skip(chromiumMissing);
  const directory = await mkdtemp(join(tmpdir(), "hawser-newcomer-"));
  context.onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const missing = await noRegistry(directory);
  if (missing !== undefined) return context.skip(missing);
  const clone = join(directory, "clone");
  await copyTracked(clone);
  const { path, name, bytes } = await sampleFile(directory, "crew list.pdf", 60_000);
  const browser = await launchChromium();
  context.onTestFinished(() => browser.close());

  const beganAt = performance.now();
  const { url, token } = await begin(await firstBlock(join(clone, "README.md")), clone, context);
  const serving = performance.now() - beganAt;
  await using visit = await PageVisit.open(browser, url);
  await visit.signIn(token);
  await visit.page.getByText("Drop files or folders anywhere").waitFor();
  await visit.pick([path]);
  await visit.row(name).getByText("On the server").waitFor();
  const seconds = [performance.now() - beganAt, serving].map((ms) => (ms / 1000).toFixed(1));
  process.stdout.write(
    `first upload: ${seconds[0]} s after the README's command, which served after ${seconds[1]} s\n`,
  );

  await visit.button(`Details ${name}`).click();
  await visit.button("Publish").click();
  const line = await visit.page.getByRole("textbox", { name: "With curl" }).inputValue();
  await run("sh", ["-c", line], { cwd: clone, env: { ...process.env, TOKEN: token } });
  expect((await readFile(join(clone, name))).equals(bytes)).toBe(true);
});
