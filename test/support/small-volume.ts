import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "vitest";

const run = promisify(execFile);

/** A small file system of its own until the test is over, or a skipped test that says why. */
export async function mountOrSkip(options: string, context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "hawser-volume-"));
  context.onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const place = join(directory, "volume");
  await mkdir(place);
  try {
    await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", place]);
  } catch (error) {
    const [why = ""] = (error instanceof Error ? error.message : "").split("\n").slice(-2);
    context.skip(`a tmpfs cannot be mounted here: ${why}`);
  }
  context.onTestFinished(async () => {
    await run("umount", [place]);
  });
  return place;
}
