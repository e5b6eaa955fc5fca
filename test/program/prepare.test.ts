import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

import { repositoryDirectory } from "../support/server-process.ts";

test("an install without vite leaves the page out, and says so", async () => {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "hawser-prepare-"));
  parts.defer(() => rm(directory, { recursive: true }));
  const script = join(directory, "prepare.js");
  await copyFile(join(repositoryDirectory, "packages/web/prepare.js"), script);
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  expect(stdout).toMatch(/^the page is not built: vite is not installed .*\n$/);
});
