import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { environmentWithoutHawser, repositoryDirectory } from "./server-process.ts";
import type { SuiteReport } from "./suite-reporter.ts";

const vitest = join(repositoryDirectory, "node_modules/vitest/vitest.mjs");
const reporter = join(repositoryDirectory, "test/support/suite-reporter.ts");
/** Hang guards: a case may take many times as long on several nodes as on a server of its own. */
const patience = ["--testTimeout=120000", "--hookTimeout=120000"];

/**
 * Runs the tests whose paths have one of `suites` in them, in a process of its own: they take the
 * server that they are run against from the environment.
 */
export async function runSuite(
  suites: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<SuiteReport> {
  const directory = await mkdtemp(join(tmpdir(), "hawser-suite-"));
  try {
    const file = join(directory, "report.json");
    const reporters = ["--reporter=default", `--reporter=${reporter}`];
    const words = ["run", "--config", "vitest.config.ts", ...patience, ...reporters, ...suites];
    const child = spawn(process.execPath, [vitest, ...words], {
      cwd: repositoryDirectory,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...environmentWithoutHawser(), HAWSER_SUITE_REPORT: file, ...environment },
    });
    await once(child, "close");
    return JSON.parse(await readFile(file, "utf8")) as SuiteReport; // written by the reporter
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a suite's run says of itself: how many passed, and why others were skipped. */
export function suiteLines({ passed, skipped }: SuiteReport): readonly string[] {
  const reasons = [...Map.groupBy(skipped, (reason) => reason)];
  return [
    `${passed} passed, ${skipped.length} skipped`,
    ...reasons.map(([reason, { length }]) => `  ${length} skipped: ${reason}`),
  ];
}
