import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";

import { within } from "../../support/eventually.ts";
import { runSuite, suiteLines } from "../../support/run-suite.ts";
import { deviations } from "./other-server-deviations.ts";

const main = join(import.meta.dirname, "other-server-main.ts");

it("the suite finds in @tus/server exactly what is known to deviate there", async () => {
  const directory = await mkdtemp(join(tmpdir(), "hawser-other-tus-"));
  const server = spawn(process.execPath, ["--conditions=source", main, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const said = await within<unknown[]>(once(createInterface(server.stdout), "line"), {
      what: "the other server to listen",
    });
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(said[0]))?.[0];
    if (url === undefined) throw new Error(`the other server said ${String(said[0])}`);
    const report = await runSuite(["test/conformance/tus"], {
      HAWSER_TEST_TUS_URL: `${url}/files`,
    });
    console.log(`the suite on @tus/server: ${suiteLines(report).join("\n")}`);
    // Both ways: a deviation that is gone would be a case that has lost its teeth.
    expect(report.failedCases.toSorted()).toEqual(deviations.toSorted());
    expect(report.passed).toBeGreaterThan(0);
  } finally {
    server.kill("SIGTERM");
    await rm(directory, { recursive: true, force: true });
  }
});
