import { fileURLToPath } from "node:url";
import { TcpProxy } from "../../test/support/tcp-proxy.ts";
import type { ContenderKind } from "../contenders/contender.ts";
import { appId, hawser, hawserTus, token } from "../contenders/hawser.ts";
import { tusServer } from "../contenders/tus-server.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run } from "../processes.ts";

interface Library {
  readonly name: string;
  readonly server: ContenderKind;
  readonly command: (port: number, file: string) => string[];
}

const ours: Library = {
  name: "hawser-client",
  server: hawser,
  command: (port, file) => [
    ...["--conditions=source", senderOf("client-library.ts")],
    ...[`${port}`, appId, token, file],
  ],
};
/** The same library on the server it is made for, and on ours. */
const theirs: Library = {
  name: "tus-js-client",
  server: tusServer,
  command: (port, file) => [senderOf("tus-js-client.ts"), `${port}`, "/files", token, file],
};
const theirsHere: Library = {
  name: "tus-js-client on Hawser",
  server: hawserTus,
  command: (port, file) => [senderOf("tus-js-client.ts"), `${port}`, "/uploads", token, file],
};
const cuts = 10;

/** A library over a line that is cut again and again. */
export const clientCuts: Figure = {
  name: "client-cuts",
  title: `512 MiB sent by a client library over a line that is cut ${cuts} times`,
  measure: async (bench) => {
    const libraries = [ours, theirs, theirsHere];
    const rounds = await bench.rounds(libraries, (library) => measure(bench, library));
    return [theirs, theirsHere].flatMap(({ name: to }) => [
      rounds.ratio({ of: ours.name, to, what: "seconds", most: 1 }),
      rounds.ratio({ of: ours.name, to, what: "senderCpuSecondsPerGB", most: 1 }),
    ]);
  },
};

async function measure(bench: Bench, { server, command }: Library): Promise<Measured> {
  const length = bench.bytes(512 * 1024 ** 2);
  const file = await bench.memory.file("body", length);
  await using directory = await bench.memory.directory();
  const contender = await server.start(directory.path);
  const proxy = await TcpProxy.start({ host: "127.0.0.1", port: contender.port });
  const cutCount = () => proxy.connections.filter(({ happened }) => happened !== undefined).length;
  proxy.setPlan(() => {
    const afterBytes = Math.floor(length / (cuts + 1));
    return cutCount() < cuts ? { toServer: { afterBytes, fault: "reset" } } : {};
  });
  try {
    const sent = await run(process.execPath, command(proxy.address.port, file));
    if (cutCount() !== cuts) throw new Error(`${cutCount()} cuts in place of ${cuts}`);
    return {
      seconds: sent.seconds,
      senderCpuSecondsPerGB: (sent.cpuSeconds * 1e9) / length,
    };
  } finally {
    await proxy.close();
    await contender.stop();
  }
}

function senderOf(name: string): string {
  return fileURLToPath(new URL(`../senders/${name}`, import.meta.url));
}
