import { expect, it } from "vitest";

import { untypedArguments } from "../conformance/untyped.ts";
import { Cluster } from "../support/cluster.ts";
import { runSuite, suiteLines } from "../support/run-suite.ts";
import type { ServerProcess } from "../support/server-process.ts";

/** Well below what passes: what skips most of its cases shows nothing. */
const passedMin = {
  "test/conformance/graph/": 300,
  "test/conformance/tus/": 200,
  "test/conformance/ietf/": 250,
};

/** Of a suite's requests each node gets its share, which is some hundreds. */
const answeredMin = 100;

/** HAWSER_CLUSTER_SUITE names others: files whose path has that in it. */
const given = process.env.HAWSER_CLUSTER_SUITE;
const suites: readonly (readonly [string, number])[] =
  given === undefined ? Object.entries(passedMin) : [[given, 1]];

it.for(suites)("three nodes behind a load balancer pass %s", async ([suite, least], context) => {
  // Graph's suite wants the types of the guide and no others.
  const types = suite.includes("graph") ? [] : untypedArguments;
  const cluster = await Cluster.start({ extraArguments: ["--interim-answers", ...types] });
  if (typeof cluster === "string") return context.skip(cluster);
  await using running = cluster;
  const report = await runSuite([suite], environmentOf(running));
  const { passed, failed, end } = report;
  console.log(`the suite on three nodes: ${suiteLines(report).join("\n")}`);
  const answered = running.nodes.map(answeredBy);
  console.log(`requests that each node answered: ${answered.join(", ")}`);
  expect(failed).toEqual([]);
  expect(end).toBe("passed");
  expect(passed).toBeGreaterThanOrEqual(least);
  expect(Math.min(...answered)).toBeGreaterThanOrEqual(given === undefined ? answeredMin : 1);
});

/** The load balancer asks by itself whether a node is ready. */
function answeredBy({ logLines }: ServerProcess): number {
  const answered = logLines.filter((line) => line.includes('"msg":"answered"'));
  return answered.filter((line) => !line.includes('"path":"/readyz"')).length;
}

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
