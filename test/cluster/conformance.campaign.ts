import { expect, it } from "vitest";

import { untypedArguments } from "../conformance/untyped.ts";
import { Cluster } from "../support/cluster.ts";
import { runSuite, suiteLines } from "../support/run-suite.ts";

/** HAWSER_CLUSTER_SUITE names others: files whose path has that in it. */
const given = process.env.HAWSER_CLUSTER_SUITE;
const suites =
  given === undefined
    ? ["graph", "tus", "ietf"].map((name) => `test/conformance/${name}/`)
    : [given];

it.for(suites)("three nodes behind a load balancer pass %s", async (suite, context) => {
  // Graph's suite wants the types of the guide and no others.
  const types = suite.includes("graph") ? [] : untypedArguments;
  const cluster = await Cluster.start({ extraArguments: ["--interim-answers", ...types] });
  if (typeof cluster === "string") return context.skip(cluster);
  await using running = cluster;
  const report = await runSuite([suite], environmentOf(running));
  const { passed, failed, end } = report;
  console.log(`the suite on three nodes: ${suiteLines(report).join("\n")}`);
  expect(failed).toEqual([]);
  expect(end).toBe("passed");
  expect(passed).toBeGreaterThan(0);
});

function environmentOf({ nodes, balancer }: Cluster): Readonly<Record<string, string>> {
  const [node] = nodes;
  if (node === undefined) throw new Error("the cluster has no node");
  return {
    HAWSER_TEST_URL: balancer.url.href,
    HAWSER_TEST_APP_ID: node.appId,
    HAWSER_TEST_APP_SECRET: node.appSecret,
    HAWSER_TEST_TOKEN: node.token,
    HAWSER_TEST_DATA: node.dataDirectory,
    // A load balancer refuses or mends much by itself, before a node sees it.
    HAWSER_TEST_RAW_URL: node.url,
  };
}
