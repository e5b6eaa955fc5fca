import { expect, it } from "vitest";

import { useTusTarget } from "../conformance/tus/tus-target.ts";
import { patternBytes, SeededRandom } from "../support/seeded.ts";
import { seededPlan, TcpProxy } from "../support/tcp-proxy.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { jsTrialOf } from "./js-trial.ts";
import { sendByJsClient } from "./js-upload.ts";

/* HAWSER_TUS_RUNS sets the number of uploads, HAWSER_TUS_SEED repeats them. */
const runs = wholeNumber("HAWSER_TUS_RUNS", 100);
const seed = wholeNumber("HAWSER_TUS_SEED", Date.now() % 2 ** 31);

const target = useTusTarget();

const ways = ["plain", "pieces", "parallel", "creation", "override", "deferred"] as const;

it(`tus-js-client carries every file whole through a network that cuts (seed ${seed})`, async (context) => {
  const { api } = target();
  let cuts = 0;
  for (let index = 0; index < runs; index += 1) {
    const random = new SeededRandom(seed + index);
    const { pattern, source, options } = jsTrialOf(random, ways);
    const failures = random.integer(0, 7);
    const plan = seededPlan(random.word(), { afterBytesMax: pattern.length, failures });
    await using proxy = await TcpProxy.start(target().rawAddress(context), plan);
    const endpoint = `${proxy.url}${api.url.pathname}`;
    const url = await sendByJsClient(api, { source, endpoint, options, timeoutMs: 60_000 });
    const content = await target().content(url);
    expect(content.equals(patternBytes(pattern)), `run ${index} of seed ${seed}`).toBe(true);
    cuts += proxy.connections.filter(({ happened }) => happened !== undefined).length;
  }
  await recordTrials({
    promise: "what tus-js-client sends arrives byte for byte",
    fault: "a network that cuts its connections",
    n: runs,
    seed,
    met: `${cuts} cuts`,
  });
});
