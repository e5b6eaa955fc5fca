import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createUpload, type Contender } from "../contenders/contender.ts";
import { hawser } from "../contenders/hawser.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run } from "../processes.ts";
import { curlArguments } from "../senders/curl.ts";

const many = { name: "64 at once", uploads: 64 };
const alone = { name: "one alone", uploads: 1 };
const wholeBytes = 64 * 64 * 1024 ** 2;

/** Whether uploads that come together stand in each other's way. */
export const parallel: Figure = {
  name: "parallel",
  title: "64 uploads at once of 64 MiB to disk, all durable",
  measure: async (bench) => {
    const rounds = await bench.rounds([many, alone], ({ uploads }) => measure(bench, uploads));
    return [rounds.ratio({ of: many.name, to: alone.name, what: "rateMBs", least: 0.9 })];
  },
};

async function measure(bench: Bench, uploads: number): Promise<Measured> {
  const length = Math.floor(bench.bytes(wholeBytes) / uploads);
  const file = await bench.memory.file("part", length);
  await using directory = await bench.disk.directory();
  const contender = await hawser.start(directory.path);
  try {
    const configuration = join(directory.path, "curl");
    await writeFile(configuration, await transfers(contender, { file, length, uploads }));
    const { seconds } = await run("curl", [
      ...["-sS", "--parallel", "--parallel-max", "64", "--parallel-immediate"],
      ...["-K", configuration],
    ]);
    return { rateMBs: (length * uploads) / 1e6 / seconds };
  } finally {
    await contender.stop();
  }
}

/** One process sends them all: 64 senders would be measured instead of the server. */
export async function transfers(
  contender: Contender,
  { file, length, uploads }: { file: string; length: number; uploads: number },
  flags: readonly string[] = [],
): Promise<string> {
  const all: string[] = [];
  for (let upload = 0; upload < uploads; upload += 1) {
    const target = await createUpload(contender, length);
    const words = [...flags, ...curlArguments(contender.port, target, file).slice(1)];
    all.push(words.map((word) => (word.startsWith("-") ? word : `"${word}"`)).join("\n"));
  }
  return all.map((words) => asConfiguration(words)).join("\nnext\n");
}

/** Options and their values on one line each, the URL by its name. */
function asConfiguration(words: string): string {
  const lines: string[] = [];
  for (const word of words.split("\n")) {
    const last = lines.at(-1);
    if (word.startsWith('"http')) lines.push(`url = ${word}`);
    else if (word.startsWith('"') && last !== undefined)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}
