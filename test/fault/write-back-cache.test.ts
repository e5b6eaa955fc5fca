import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

import { preloads } from "./preload/preloads.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("write-back-program.ts", import.meta.url));

/** The campaigns' page cache is loaded before a program that writes as the disk store does. */
async function runOnCache(): Promise<unknown> {
  const directory = await mkdtemp(join(tmpdir(), "hawser-cache-"));
  try {
    const { stdout } = await run(process.execPath, [
      "--import",
      preloads.writeBackCache,
      program,
      join(directory, "file"),
    ]);
    return JSON.parse(stdout);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

it("held bytes are seen by the process, and reach the file at the sync alone", async () => {
  expect(await runOnCache()).toEqual({
    written: { seen: "abcdef", length: 6, stored: "" },
    closed: { seen: "abcdef", length: 6, stored: "" },
    truncated: { seen: "abc", length: 3, stored: "" },
    synced: { seen: "abcXY", length: 5, stored: "abcXY" },
    overwritten: { seen: "aZZZZZ!", length: 7, stored: "abcXY" },
    shortened: { seen: "aZ", length: 2, stored: "ab" },
  });
});
