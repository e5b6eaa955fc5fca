import { join } from "node:path";
import { createUpload } from "../contenders/contender.ts";
import { hawser } from "../contenders/hawser.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run } from "../processes.ts";
import { curlArguments } from "../senders/curl.ts";

const dd = { name: "dd conv=fdatasync" };
const kinds = [{ name: hawser.name }, dd];

/** The real disk: an acknowledged upload against a plain copy that syncs once at its end. */
export const toDisk: Figure = {
  name: "to-disk",
  title: "2 GiB of random bytes to disk, acknowledged durable",
  measure: async (bench) => {
    const length = bench.bytes(2 * 1024 ** 3);
    const file = await bench.memory.file("body", length);
    const rounds = await bench.rounds(kinds, (kind) =>
      kind === dd ? copy(bench, file, length) : upload(bench, file, length),
    );
    return [rounds.ratio({ of: hawser.name, to: dd.name, what: "rateMBs", least: 1 })];
  },
};

async function copy(bench: Bench, file: string, length: number): Promise<Measured> {
  await using directory = await bench.disk.directory();
  const target = join(directory.path, "copy");
  const { seconds } = await run("dd", [
    ...[`if=${file}`, `of=${target}`, "bs=1M", "conv=fdatasync", "status=none"],
  ]);
  return { rateMBs: length / 1e6 / seconds };
}

async function upload(bench: Bench, file: string, length: number): Promise<Measured> {
  await using directory = await bench.disk.directory();
  const contender = await hawser.start(directory.path);
  try {
    const target = await createUpload(contender, length);
    const { seconds } = await run("curl", curlArguments(contender.port, target, file));
    return { rateMBs: length / 1e6 / seconds };
  } finally {
    await contender.stop();
  }
}
