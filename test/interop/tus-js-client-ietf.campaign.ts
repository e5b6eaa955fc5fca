import { Readable } from "node:stream";
import type { UploadOptions } from "tus-js-client";
import { expect, it } from "vitest";

import { useIetfTarget } from "../conformance/ietf/ietf-target.ts";
import { patternBytes, patternChunks, SeededRandom } from "../support/seeded.ts";
import { seededPlan, TcpProxy } from "../support/tcp-proxy.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { sendByJsClient, type UploadSource } from "./js-upload.ts";

/* HAWSER_IETF_RUNS sets the number of uploads, HAWSER_IETF_SEED repeats them. */
const runs = wholeNumber("HAWSER_IETF_RUNS", 200);
const seed = wholeNumber("HAWSER_IETF_SEED", Date.now() % 2 ** 31);

const target = useIetfTarget();

interface Trial {
  readonly pattern: { readonly seed: number; readonly length: number };
  readonly source: UploadSource;
  /** With one that the library's types do not have. */
  readonly options: UploadOptions & { readonly protocol: string };
}

function trialOf(random: SeededRandom): Trial {
  const pattern = { seed: random.word(), length: random.integer(1, 4_000_000) };
  const protocol = random.pick(["ietf-draft-03", "ietf-draft-05"]);
  const chunkSize = random.integer(50_000, 2_000_000);
  const way = random.pick(["plain", "pieces", "creation", "override", "deferred"]);
  const whole = (options: UploadOptions): Trial => {
    return { pattern, source: patternBytes(pattern), options: { protocol, ...options } };
  };
  switch (way) {
    case "pieces":
      return whole({ chunkSize });
    case "creation":
      return whole({ uploadDataDuringCreation: true, chunkSize });
    case "override":
      return whole({ overridePatchMethod: true });
    case "deferred":
      return {
        pattern,
        source: Readable.from(patternChunks(pattern, 64_000), { objectMode: false }),
        options: { protocol, uploadLengthDeferred: true, chunkSize },
      };
    default:
      return whole({});
  }
}

it(`tus-js-client carries every file whole in the IETF's words, too (seed ${seed})`, async (context) => {
  const { api, graph } = target();
  const { authorization } = api;
  const place = { url: api.urlOf("/uploads"), authorization };
  let cuts = 0;
  for (let index = 0; index < runs; index += 1) {
    const random = new SeededRandom(seed + index);
    const { pattern, source, options } = trialOf(random);
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
