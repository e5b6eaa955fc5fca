import type { Contender, ContenderKind } from "../contenders/contender.ts";
import { hawser } from "../contenders/hawser.ts";
import { tusServer } from "../contenders/tus-server.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { KeepAliveConnection } from "../senders/keep-alive.ts";
import { syncsDuring } from "../syncs.ts";

const connections = 16;
/** Says nothing about its type, so that nothing disagrees with the one that is declared. */
const body = "x".repeat(1024);

/** Many small files at once, on the real disk: what a durable answer costs where it costs most. */
export const smallUploads: Figure = {
  name: "small-uploads",
  title: "4,000 uploads of 1 KiB, create and append, 16 connections, to disk",
  measure: async (bench) => {
    const rounds = await bench.rounds([hawser, tusServer], (kind) => measure(bench, kind));
    const { name: of } = hawser;
    return [
      rounds.ratio({ of, to: tusServer.name, what: "uploadsPerSecond", least: 1.5 }),
      rounds.ratio({ of, to: tusServer.name, what: "cpuMsPerUpload" }),
      ...["syncsPerUpload", "msPerSync"].map((what) => rounds.value(of, what, {})),
    ];
  },
};

async function measure(bench: Bench, kind: ContenderKind): Promise<Measured> {
  await using directory = await bench.disk.directory();
  const contender = await kind.start(directory.path);
  try {
    // What a server compiles at its first requests is not what is measured here.
    await uploadMany(contender, 500);
    const count = bench.count(4_000);
    const before = await contender.process.cpuSeconds();
    const begun = performance.now();
    await uploadMany(contender, count);
    const seconds = (performance.now() - begun) / 1000;
    const cpuSeconds = (await contender.process.cpuSeconds()) - before;
    const speed = {
      uploadsPerSecond: count / seconds,
      cpuMsPerUpload: (cpuSeconds * 1000) / count,
    };
    // The peer makes none.
    return kind === hawser ? { ...speed, ...(await countSyncs(bench, contender)) } : speed;
  } finally {
    await contender.stop();
  }
}

/** In a run of its own: who is watched is slower. */
async function countSyncs(bench: Bench, contender: Contender): Promise<Measured> {
  const count = bench.count(1_000);
  const { calls, seconds } = await syncsDuring(contender.process.pid, () =>
    uploadMany(contender, count),
  );
  return { syncsPerUpload: calls / count, msPerSync: (seconds * 1000) / calls };
}

/** Creates and completes `count` uploads; fails when one of them is not answered as done. */
export async function uploadMany(contender: Contender, count: number): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    const connection = await KeepAliveConnection.open(contender.port);
    while (left > 0) {
      left -= 1;
      await uploadOne(contender, connection);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, work));
}

export async function uploadOne(
  contender: Contender,
  connection: KeepAliveConnection,
): Promise<void> {
  const create = contender.create(body.length);
  if (create === null) throw new Error(`${contender.name} creates nothing`);
  await connection.send(contender.append(await connection.send(create), 0), body);
}
