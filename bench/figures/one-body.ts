import { fileURLToPath } from "node:url";
import { createUpload, type BenchRequest, type ContenderKind } from "../contenders/contender.ts";
import { hawser, hawserIetf, hawserTus } from "../contenders/hawser.ts";
import { nginx } from "../contenders/nginx.ts";
import { tusServer } from "../contenders/tus-server.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
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
    ];
  },
};

/** The same from a sender that writes 16 KiB at a time, as networks and TLS deliver. */
export const smallWrites: Figure = {
  name: "small-writes",
  title: "one 2 GiB body to tmpfs, written 16 KiB at a time",
  measure: async (bench) => {
    const rounds = await bench.rounds([hawser, tusServer, nginx], (kind) =>
      measureBody(bench, kind, sendInSlices),
    );
    return [
      rounds.ratio({ of: hawser.name, to: tusServer.name, what: "cpuSecondsPerGB", most: 0.3 }),
      rounds.ratio({ of: hawser.name, to: nginx.name, what: "cpuSecondsPerGB" }),
    ];
  },
};

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
    const before = await contender.process.cpuSeconds();
    const readBefore = await contender.process.reads();
    const { seconds } = await send({ file, length, port: contender.port, target });
    const cpuSeconds = (await contender.process.cpuSeconds()) - before;
    const readAfter = await contender.process.reads();
    return {
      cpuSecondsPerGB: (cpuSeconds * 1e9) / length,
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

function sendInSlices({ file, length, port, target }: Sending) {
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`);
  const sizes = [port, file, length, sliceBytes].map(String);
  return run(process.execPath, [slices, ...sizes, target.method, target.path, ...headers]);
}
