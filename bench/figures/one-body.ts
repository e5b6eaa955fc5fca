import { fileURLToPath } from "node:url";
import { bareHttp } from "../contenders/bare-http.ts";
import { createUpload, type BenchRequest, type ContenderKind } from "../contenders/contender.ts";
import { hawser, hawserIetf, hawserTus } from "../contenders/hawser.ts";
import { nginx, nginxGathering } from "../contenders/nginx.ts";
import { tusServer } from "../contenders/tus-server.ts";
import type { Bench, Figure, Measured, Row } from "../figure.ts";
import { run } from "../processes.ts";
import { curlArguments } from "../senders/curl.ts";

const bodyBytes = 2 * 1024 ** 3;
const sliceBytes = 16 * 1024;
const slices = fileURLToPath(new URL("../senders/slices.ts", import.meta.url));

/** One large body to a file system in memory, sent by curl: what a byte costs the server. */
export const oneBody: Figure = {
  name: "one-body",
  title: "one 2 GiB body to tmpfs, sent by curl",
  measure: async (bench) => {
    const rounds = await bench.rounds([hawser, tusServer, nginx], (kind) =>
      measureBody(bench, kind, sendByCurl),
    );
    return [
      rounds.ratio({ of: hawser.name, to: tusServer.name, what: "cpuSecondsPerGB", most: 0.5 }),
      rounds.ratio({ of: hawser.name, to: tusServer.name, what: "rateMBs", least: 1.8 }),
      rounds.ratio({ of: hawser.name, to: nginx.name, what: "cpuSecondsPerGB", most: 2 }),
      rounds.ratio({ of: hawser.name, to: nginx.name, what: "kernelSecondsPerGB" }),
      rounds.ratio({ of: hawser.name, to: nginx.name, what: "ownSecondsPerGB" }),
    ];
  },
};

/** The same from a sender that writes 16 KiB at a time, as fast as they are taken. */
export const smallWrites: Figure = {
  name: "small-writes",
  title: "one 2 GiB body to tmpfs, written 16 KiB at a time",
  measure: (bench) => measureSlices(bench, Infinity),
};

/** At the pace of a gigabit line each is read before the next one comes, as networks deliver. */
export const pacedWrites: Figure = {
  name: "paced-writes",
  title: "one 2 GiB body to tmpfs, 16 KiB at a time at 100 MB/s",
  measure: (bench) => measureSlices(bench, 100e6),
};

async function measureSlices(bench: Bench, bytesPerSecond: number): Promise<Row[]> {
  const contenders = [hawser, tusServer, nginx, nginxGathering, bareHttp];
  const rounds = await bench.rounds(contenders, (kind) =>
    measureBody(bench, kind, (sending) => sendInSlices(sending, bytesPerSecond)),
  );
  const what = "cpuSecondsPerGB";
  const floors = [nginx, nginxGathering, bareHttp].map(({ name }) =>
    rounds.ratio({ of: name, to: tusServer.name, what }),
  );
  return [rounds.ratio({ of: hawser.name, to: tusServer.name, what, most: 0.3 }), ...floors];
}

/** The same body in each of the three dialects. */
export const dialects: Figure = {
  name: "dialects",
  title: "one 2 GiB body to tmpfs, sent by curl, in each dialect",
  measure: async (bench) => {
    const rounds = await bench.rounds([hawser, hawserTus, hawserIetf], (kind) =>
      measureBody(bench, kind, sendByCurl),
    );
    return [hawserTus, hawserIetf].flatMap(({ name: of }) => [
      rounds.ratio({ of, to: hawser.name, what: "cpuSecondsPerGB", most: 1.05 }),
      rounds.ratio({ of, to: hawser.name, what: "rateMBs" }),
    ]);
  },
};

interface Sending {
  readonly file: string;
  readonly length: number;
  readonly port: number;
  readonly target: BenchRequest;
}

async function measureBody(
  bench: Bench,
  kind: ContenderKind,
  send: (sending: Sending) => Promise<{ readonly seconds: number }>,
): Promise<Measured> {
  const length = bench.bytes(bodyBytes);
  const file = await bench.memory.file("body", length);
  await using directory = await bench.memory.directory();
  const contender = await kind.start(directory.path);
  try {
    const target = await createUpload(contender, length);
    const before = await contender.process.cpu();
    const readBefore = await contender.process.reads();
    const { seconds } = await send({ file, length, port: contender.port, target });
    const after = await contender.process.cpu();
    const readAfter = await contender.process.reads();
    const kernelSecondsPerGB = ((after.system - before.system) * 1e9) / length;
    const ownSecondsPerGB = ((after.user - before.user) * 1e9) / length;
    return {
      cpuSecondsPerGB: kernelSecondsPerGB + ownSecondsPerGB,
      kernelSecondsPerGB,
      ownSecondsPerGB,
      rateMBs: length / 1e6 / seconds,
      meanReadKiB:
        (readAfter.bytes - readBefore.bytes) / (readAfter.calls - readBefore.calls) / 1024,
    };
  } finally {
    await contender.stop();
  }
}

function sendByCurl({ file, port, target }: Sending) {
  return run("curl", curlArguments(port, target, file));
}

function sendInSlices({ file, length, port, target }: Sending, bytesPerSecond: number) {
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`);
  const sizes = [port, file, length, sliceBytes, bytesPerSecond].map(String);
  return run(process.execPath, [slices, ...sizes, target.method, target.path, ...headers]);
}
