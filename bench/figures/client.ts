import { fileURLToPath } from "node:url";
import { createUpload } from "../contenders/contender.ts";
import { appId, hawser, token } from "../contenders/hawser.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run } from "../processes.ts";
import { curlArguments } from "../senders/curl.ts";

const sender = fileURLToPath(new URL("../senders/client-library.ts", import.meta.url));
const library = { name: "hawser-client" };
const curl = { name: "curl" };

/** What sending costs the sender: the library on Node, started for it, against curl. */
export const client: Figure = {
  name: "client",
  title: "2 GiB sent by the client library",
  measure: async (bench) => {
    const rounds = await bench.rounds([library, curl], (kind) => measure(bench, kind === curl));
    return [
      rounds.ratio({ of: library.name, to: curl.name, what: "senderCpuSecondsPerGB", most: 2 }),
    ];
  },
};

async function measure(bench: Bench, byCurl: boolean): Promise<Measured> {
  const length = bench.bytes(2 * 1024 ** 3);
  const file = await bench.memory.file("body", length);
  await using directory = await bench.memory.directory();
  const contender = await hawser.start(directory.path);
  try {
    const { port } = contender;
    const args = ["--conditions=source", sender, `${port}`, appId, token, file];
    const sent = byCurl
      ? await run("curl", curlArguments(port, await createUpload(contender, length), file))
      : await run(process.execPath, args);
    return {
      senderCpuSecondsPerGB: (sent.cpuSeconds * 1e9) / length,
      rateMBs: length / 1e6 / sent.seconds,
    };
  } finally {
    await contender.stop();
  }
}
