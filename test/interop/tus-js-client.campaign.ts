import { Readable } from "node:stream";
import type { UploadOptions } from "tus-js-client";
import { expect, it } from "vitest";

import { useTusTarget } from "../conformance/tus/tus-target.ts";
import { patternBytes, patternChunks, SeededRandom } from "../support/seeded.ts";
import { seededPlan, TcpProxy } from "../support/tcp-proxy.ts";
import { recordTrials } from "../support/trials.ts";
import { wholeNumber } from "../support/whole-number.ts";
import { sendByJsClient, type UploadSource } from "./js-upload.ts";

/* HAWSER_TUS_RUNS sets the number of uploads, HAWSER_TUS_SEED repeats them. */
const runs = wholeNumber("HAWSER_TUS_RUNS", 200);
const seed = wholeNumber("HAWSER_TUS_SEED", Date.now() % 2 ** 31);

const target = useTusTarget();

interface Trial {
  readonly pattern: { readonly seed: number; readonly length: number };
  readonly source: UploadSource;
  readonly options: UploadOptions;
}

function trialOf(random: SeededRandom): Trial {
  const pattern = { seed: random.word(), length: random.integer(1, 4_000_000) };
  const chunkSize = random.integer(50_000, 2_000_000);
  const way = random.pick(["plain", "pieces", "parallel", "creation", "override", "deferred"]);
  const whole = (options: UploadOptions): Trial => {
    return { pattern, source: patternBytes(pattern), options };
  };
  switch (way) {
    case "pieces":
      return whole({ chunkSize });
    case "parallel":
      return whole({ parallelUploads: Math.min(random.integer(2, 6), pattern.length), chunkSize });
    case "creation":
      return whole({ uploadDataDuringCreation: true, chunkSize });
    case "override":
      return whole({ overridePatchMethod: true });
    case "deferred":
      return {
        pattern,
        source: Readable.from(patternChunks(pattern, 64_000), { objectMode: false }),
        options: { uploadLengthDeferred: true, chunkSize },
      };
    default:
      return whole({});
  }
}

it(`tus-js-client carries every file whole through a network that cuts (seed ${seed})`, async (context) => {
  const { api } = target();
  let cuts = 0;
  for (let index = 0; index < runs; index += 1) {
    const random = new SeededRandom(seed + index);
    const { pattern, source, options } = trialOf(random);
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
