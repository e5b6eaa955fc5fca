import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createUpload, type Contender } from "../contenders/contender.ts";
import { hawser } from "../contenders/hawser.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run } from "../processes.ts";
import { curlArguments } from "../senders/curl.ts";

const many = { name: "64 at once", uploads: 64, measure: upload };
const alone = { name: "one alone", uploads: 1, measure: upload };
/** What the disk itself gives to so many writers, which sync once at their end. */
const manyCopies = { name: "64 dd at once", uploads: 64, measure: copy };
const copyAlone = { name: "one dd alone", uploads: 1, measure: copy };
const kinds = [many, alone, manyCopies, copyAlone];
const wholeBytes = 64 * 64 * 1024 ** 2;

/** Whether uploads that come together stand in each other's way. */
export const parallel: Figure = {
  name: "parallel",
  title: "64 uploads at once of 64 MiB to disk, all durable",
  measure: async (bench) => {
    const rounds = await bench.rounds(kinds, ({ uploads, measure }) => measure(bench, uploads));
    const what = "rateMBs";
    return [
      rounds.ratio({ of: many.name, to: alone.name, what, least: 0.9 }),
      rounds.ratio({ of: manyCopies.name, to: copyAlone.name, what }),
    ];
  },
};

async function copy(bench: Bench, copies: number): Promise<Measured> {
  const length = Math.floor(bench.bytes(wholeBytes) / copies);
  const file = await bench.memory.file("part", length);
  await using directory = await bench.disk.directory();
  const begun = performance.now();
  const copying = Array.from({ length: copies }, (_, copy) =>
    run("dd", [
      ...[`if=${file}`, `of=${join(directory.path, String(copy))}`],
      ...["bs=1M", "conv=fdatasync", "status=none"],
    ]),
  );
  await Promise.all(copying);
  return { rateMBs: (length * copies) / 1e3 / (performance.now() - begun) };
}

async function upload(bench: Bench, uploads: number): Promise<Measured> {
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
