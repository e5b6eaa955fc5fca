import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

import { Cluster } from "../support/cluster.ts";
import { environmentWithoutHawser, repositoryDirectory } from "../support/server-process.ts";
import type { SuiteReport } from "./suite-reporter.ts";

/** HAWSER_CLUSTER_SUITE narrows it to the files whose path has that in it. */
const suite = process.env.HAWSER_CLUSTER_SUITE ?? "test/conformance/graph";
const vitest = join(repositoryDirectory, "node_modules/vitest/vitest.mjs");

it("three nodes behind a load balancer pass the suite of the Graph protocol", async (context) => {
  const cluster = await Cluster.start();
  if (typeof cluster === "string") return context.skip(cluster);
  await using running = cluster;
  const { passed, failed, skipped, end } = await runSuite(running);
  console.log(`the suite on three nodes: ${passed} passed, ${skipped.length} skipped`);
  const reasons = Map.groupBy(skipped, (reason) => reason);
  for (const [reason, { length }] of reasons) console.log(`  ${length} skipped: ${reason}`);
  expect(failed).toEqual([]);
  expect(end).toBe("passed");
  expect(passed).toBeGreaterThan(0);
});

/** In a process of its own: it takes what it is run against from the environment. */
async function runSuite({ nodes, balancer }: Cluster): Promise<SuiteReport> {
  const [node] = nodes;
  if (node === undefined) throw new Error("the cluster has no node");
  const directory = await mkdtemp(join(tmpdir(), "hawser-suite-"));
  try {
    const file = join(directory, "report.json");
    const reporter = `--reporter=${join(import.meta.dirname, "suite-reporter.ts")}`;
    const words = ["run", "--config", "vitest.config.ts", "--reporter=default", reporter, suite];
    const child = spawn(process.execPath, [vitest, ...words], {
      cwd: repositoryDirectory,
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...environmentWithoutHawser(),
        HAWSER_SUITE_REPORT: file,
        HAWSER_TEST_URL: balancer.url.href,
        HAWSER_TEST_APP_ID: node.appId,
        HAWSER_TEST_APP_SECRET: node.appSecret,
        HAWSER_TEST_TOKEN: node.token,
        HAWSER_TEST_DATA: node.dataDirectory,
        // A load balancer refuses or mends much by itself, before a node sees it.
        HAWSER_TEST_RAW_URL: node.url,
      },
    });
    await once(child, "close");
    return JSON.parse(await readFile(file, "utf8")) as SuiteReport; // written by the reporter
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
