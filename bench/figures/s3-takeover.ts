import { createUpload, type Contender } from "../contenders/contender.ts";
import { hawserOnS3 } from "../contenders/s3-contenders.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { SharedStores } from "../shared-stores.ts";
import { percentile, stall, takeOver, takeoverBytes } from "./takeover.ts";

const takeovers = 100;
const deaths = 10;

/** A client that comes back to another node, while the first one holds its upload or is gone. */
export const s3Takeover: Figure = {
  name: "s3-takeover",
  title: "takeover of a writer at another node",
  group: "many nodes",
  missing: () => SharedStores.missing(),
  measure: async (bench) => {
    const rounds = await bench.rounds([hawserOnS3], () => measure(bench));
    return [
      rounds.value(hawserOnS3.name, "p99Ms", { most: 300 }),
      rounds.value(hawserOnS3.name, "deathP99Ms", { most: 3_000 }),
    ];
  },
};

async function measure(bench: Bench): Promise<Measured> {
  await using directory = await bench.disk.directory();
  await using stores = await SharedStores.start();
  const start = (name: string): Promise<Contender> =>
    hawserOnS3.start({ stores, directory: `${directory.path}/${name}` });
  let first = await start("first");
  const other = await start("other");
  const [stalled, died]: [number[], number[]] = [[], []];
  try {
    for (let index = 0; index < bench.count(takeovers); index += 1) {
      stalled.push(await timeOf(first, other, () => Promise.resolve()));
    }
    for (let index = 0; index < bench.count(deaths); index += 1) {
      died.push(await timeOf(first, other, () => first.process.stop("SIGKILL")));
      first = await start("first");
    }
  } finally {
    await first.stop();
    await other.stop();
  }
  return {
    p99Ms: percentile(stalled, 0.99),
    p50Ms: percentile(stalled, 0.5),
    deathP99Ms: percentile(died, 0.99),
    deathP50Ms: percentile(died, 0.5),
  };
}

/**
 * From the newcomer's first request until its append, the whole rest of the upload, is answered:
 * what it brings must be stored by then, too.
 */
async function timeOf(
  first: Contender,
  other: Contender,
  happen: () => Promise<void>,
): Promise<number> {
  const target = await createUpload(first, takeoverBytes);
  const writer = await stall(first.port, target);
  await happen();
  const took = await takeOver(other.port, target);
  writer.destroy();
  return took;
}
