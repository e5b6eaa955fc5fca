import { PutObjectCommand } from "@aws-sdk/client-s3";
import { createUpload, type Contender } from "../contenders/contender.ts";
import { hawserOnS3 } from "../contenders/s3-contenders.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { SharedStores } from "../shared-stores.ts";
import { percentile, stall, stalledAt, takeOver } from "./takeover.ts";

/** What the newcomer has left to bring is no object of its own: the takeover is measured alone. */
const length = stalledAt + 16 * 1024;
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
      rounds.value(hawserOnS3.name, "deathMostMs", { most: 3_000 }),
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
  const [stalled, died, puts]: [number[], number[], number[]] = [[], [], []];
  try {
    for (let index = 0; index < bench.count(takeovers); index += 1) {
      puts.push(await timeOfPut(stores));
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
    putP99Ms: percentile(puts, 0.99),
    putP50Ms: percentile(puts, 0.5),
    deathMostMs: Math.max(...died),
    deathP50Ms: percentile(died, 0.5),
  };
}

/** What the holder has to do before it lets go: how long the store at hand takes for it. */
async function timeOfPut({ ceph }: SharedStores): Promise<number> {
  const client = ceph.client();
  const target = { Bucket: ceph.bucket, Key: "put", Body: Buffer.alloc(stalledAt) };
  const begun = performance.now();
  await client.send(new PutObjectCommand(target));
  const took = performance.now() - begun;
  client.destroy();
  return took;
}

/** From the newcomer's first request until its append, the rest of the upload, is answered. */
async function timeOf(
  first: Contender,
  other: Contender,
  happen: () => Promise<void>,
): Promise<number> {
  const target = await createUpload(first, length);
  const writer = await stall(first.port, target, length);
  await happen();
  const took = await takeOver(other.port, target, length);
  writer.destroy();
  return took;
}
