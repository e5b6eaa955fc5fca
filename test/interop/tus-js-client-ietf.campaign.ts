import { expect, it } from "vitest";

import { useIetfTarget } from "../conformance/ietf/ietf-target.ts";
import { patternBytes, SeededRandom } from "../support/seeded.ts";
import { seededPlan, TcpProxy } from "../support/tcp-proxy.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { jsTrialOf } from "./js-trial.ts";
import { sendByJsClient } from "./js-upload.ts";

/* HAWSER_IETF_RUNS sets the number of uploads, HAWSER_IETF_SEED repeats them. */
const runs = wholeNumber("HAWSER_IETF_RUNS", 100);
const seed = wholeNumber("HAWSER_IETF_SEED", Date.now() % 2 ** 31);

const target = useIetfTarget();

const ways = ["plain", "pieces", "creation", "override", "deferred"] as const;

it(`tus-js-client carries every file whole in the IETF's words, too (seed ${seed})`, async (context) => {
  const { api } = target();
  const graph = target().hawser(context);
  const { authorization } = api;
  const place = { url: api.url, authorization };
  let cuts = 0;
  for (let index = 0; index < runs; index += 1) {
    const random = new SeededRandom(seed + index);
    const { pattern, source, options: sent } = jsTrialOf(random, ways);
    // One that the library's types do not have.
    const protocol = random.pick(["ietf-draft-03", "ietf-draft-05"]);
    const options = { ...sent, protocol };
    const failures = random.integer(0, 7);
    const plan = seededPlan(random.word(), { afterBytesMax: pattern.length, failures });
    await using proxy = await TcpProxy.start(graph.rawAddress(context), plan);
    const endpoint = `${proxy.url}${place.url.pathname}`;
    const url = await sendByJsClient(place, { source, endpoint, options, timeoutMs: 60_000 });
    const { h } = (await api.get(url.href)).json;
    const content = await graph.api.content(await graph.api.publish(String(h)));
    const said = `run ${index} of seed ${seed}, ${JSON.stringify(options)}`;
    expect(content.equals(patternBytes(pattern)), said).toBe(true);
    cuts += proxy.connections.filter(({ happened }) => happened !== undefined).length;
  }
  await recordTrials({
    promise: "what tus-js-client sends arrives byte for byte",
    fault: "a network that cuts its connections, in the IETF's words",
    n: runs,
    seed,
    met: `${cuts} cuts`,
  });
});
