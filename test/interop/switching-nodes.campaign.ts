import { expect, it } from "vitest";

import { Cluster } from "../support/cluster.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { orders, SwitchTrial } from "./switch-trial.ts";

/* HAWSER_SWITCHING_SEED repeats a run. */
const seed = wholeNumber("HAWSER_SWITCHING_SEED", Date.now() % 2 ** 31);

it(`an upload goes on in another dialect at another node, each request at the next (seed ${seed})`, async (context) => {
  const found = await Cluster.start();
  await using cluster = typeof found === "string" ? context.skip(found) : found;
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error("the cluster has no node");
  const { appId, token } = node;
  const { origin: url, port } = cluster.balancer.url;
  const server = { appId, token, url, port: Number(port) };
  for (const [index, order] of orders.entries()) {
    await new SwitchTrial(server, seed + index).run(order).catch((error: unknown) => {
      throw new Error(`${order.join(", then ")} (upload ${index})`, { cause: error });
    });
  }
  expect(orders).toHaveLength(27);
  await recordTrials({
    promise: "one upload in three dialects is one file with one handle",
    fault: "a cut connection and another node in each dialect's part",
    n: orders.length,
    seed,
    met: "each of three dialects as creator, in the middle and as finisher, on three nodes",
  });
});
