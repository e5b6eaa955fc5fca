import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, type TestContext } from "vitest";

import {
  environmentWithoutHawser,
  repositoryDirectory,
  ServerProcess,
} from "../support/server-process.ts";

const run = promisify(execFile);

/** The one block of README.md for a shell that begins with these words. */
async function blockThatBegins(words: string): Promise<string> {
  const page = await readFile(join(repositoryDirectory, "README.md"), "utf8");
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block);
  const [block, ...others] = blocks.filter((each) => each.startsWith(words));
  if (block === undefined || others.length > 0) throw new Error(`README.md has not one ${words}`);
  return block;
}

/** What a script prints, run by the plainest shell there is. */
async function shell(
  context: TestContext,
  script: string,
  given: Readonly<Record<string, string>> = {},
): Promise<string> {
  await run("curl", ["--version"]).catch(() => context.skip("needs curl"));
  const env = { ...environmentWithoutHawser(), ...given };
  return (await run("sh", ["-e", "-c", script], { env, timeout: 25_000 })).stdout;
}

it("curl sends a file in Graph's words and asks where it is, as the page has it", async (context) => {
  await using server = await ServerProcess.start();
  const given = { URL: server.url, APP_ID: server.appId, TOKEN: server.token };
  const printed = await shell(context, await blockThatBegins("ID=$("), given);
  const [sent = "", asked = ""] = printed.trim().split("\n");
  expect(sent).toMatch(/^\{"h":"[^"]+"\}$/);
  expect(JSON.parse(asked)).toMatchObject({ file_offset: 6 });
});

it("an open server takes an upload by tus and then the IETF's draft, as the page has it", async (context) => {
  const [, words = ""] = (await blockThatBegins("npm start -- ")).trim().split(" -- ");
  await using server = await ServerProcess.start({ extraArguments: words.split(" ") });
  const block = await blockThatBegins("TUS=");
  const address = "http://127.0.0.1:8080";
  expect(block.split(address)).toHaveLength(2);
  const printed = await shell(context, block.replace(address, server.url));
  expect(printed).toMatch(/"h":"[^"]+"/);
});
