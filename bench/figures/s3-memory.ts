import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asError } from "../../packages/server/src/base/errors.ts";
import {
  hawserOnS3,
  libStorage,
  tusOnS3,
  type S3ContenderKind,
} from "../contenders/s3-contenders.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run, type Finished } from "../processes.ts";
import { SharedStores } from "../shared-stores.ts";
import { transfers } from "./parallel.ts";

const uploadsAtOnce = 200;
/** All together must stay below what the store of the bench holds in memory. */
const wholeBytes = uploadsAtOnce * 12 * 1024 ** 2;
const paceBytesPerSecond = 256 * 1024;

/** Parts wait in memory until they are whole: many slow senders at once must not fill it. */
export const s3Memory: Figure = {
  name: "s3-memory",
  title: "200 uploads at once to S3, 256 KiB/s each",
  group: "many nodes",
  missing: () => SharedStores.missing(),
  measure: async (bench) => {
    const rounds = await bench.rounds([hawserOnS3, libStorage, tusOnS3], (kind) =>
      measure(bench, kind),
    );
    const { name: of } = hawserOnS3;
    const row = rounds.ratio({ of, to: libStorage.name, what: "peakMB", most: 700 });
    const ofTus = rounds.ratio({ of, to: tusOnS3.name, what: "peakMB" });
    return [{ ...row, judge: "value" }, ofTus];
  },
};

async function measure(bench: Bench, kind: S3ContenderKind): Promise<Measured> {
  const length = Math.floor(bench.bytes(wholeBytes) / uploadsAtOnce);
  const file = await bench.memory.file("part", length);
  await using directory = await bench.memory.directory();
  await using stores = await SharedStores.start();
  const contender = await kind.start({ stores, directory: directory.path });
  try {
    const configuration = join(directory.path, "curl");
    const sending = { file, length, uploads: uploadsAtOnce };
    const pace = ["--limit-rate", `${paceBytesPerSecond}`];
    await writeFile(configuration, await transfers(contender, sending, pace));
    const idle = await contender.process.residentBytes("VmRSS");
    const begun = performance.now();
    const refused = await refusedOf(sendAll(configuration), kind);
    const seconds = (performance.now() - begun) / 1e3;
    const peak = await contender.process.residentBytes("VmHWM");
    const rateMBs = (length * (uploadsAtOnce - refused)) / 1e6 / seconds;
    return { peakMB: peak / 1e6, idleMB: idle / 1e6, rateMBs, refused };
  } finally {
    await contender.stop();
  }
}

function sendAll(configuration: string): Promise<Finished> {
  return run("curl", [
    ...["-sS", "--parallel", "--parallel-max", `${uploadsAtOnce}`, "--parallel-immediate"],
    ...["-K", configuration],
  ]);
}

/** How many uploads a peer failed: its memory is measured all the same. Ours may fail none. */
async function refusedOf(sending: Promise<Finished>, kind: S3ContenderKind): Promise<number> {
  try {
    await sending;
    return 0;
  } catch (error) {
    const refused = asError(error).message.match(/curl: \(22\)/g)?.length ?? 0;
    if (refused === 0 || kind === hawserOnS3) throw error;
    return refused;
  }
}
