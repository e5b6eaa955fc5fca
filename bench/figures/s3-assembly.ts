import { setTimeout as sleep } from "node:timers/promises";
import { createUpload, type Contender } from "../contenders/contender.ts";
import { appId } from "../contenders/hawser.ts";
import { hawserOnS3 } from "../contenders/s3-contenders.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run } from "../processes.ts";
import { curlArguments } from "../senders/curl.ts";
import { SharedStores } from "../shared-stores.ts";

const bodyBytes = 512 * 1024 ** 2;

/** What it takes, after publishing, to make one object of a file's parts. */
export const s3Assembly: Figure = {
  name: "s3-assembly",
  title: "assembly of a published file of 512 MiB",
  group: "many nodes",
  missing: () => SharedStores.missing(),
  measure: async (bench) => {
    const rounds = await bench.rounds([hawserOnS3], () => measure(bench));
    const { name } = hawserOnS3;
    return ["seconds", "trafficMB", "cpuSeconds"].map((what) => rounds.value(name, what, {}));
  },
};

async function measure(bench: Bench): Promise<Measured> {
  const length = bench.bytes(bodyBytes);
  const file = await bench.memory.file("body", length);
  await using directory = await bench.memory.directory();
  await using stores = await SharedStores.start();
  const contender = await hawserOnS3.start({ stores, directory: directory.path });
  try {
    const target = await createUpload(contender, length);
    const { output } = await run("curl", curlArguments(contender.port, target, file));
    const handle = /"h":"([^"]+)"/.exec(output)?.[1];
    if (handle === undefined) throw new Error(`no handle came: ${output}`);
    const extents = await extentsIn(stores);
    const before = await costOf(contender);
    const begun = performance.now();
    await publish(contender, handle, target.headers);
    while ((await extentsIn(stores)) > 1) await sleep(50);
    const seconds = (performance.now() - begun) / 1000;
    const after = await costOf(contender);
    return {
      seconds,
      trafficMB: (after.traffic - before.traffic) / 1e6,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      extents,
    };
  } finally {
    await contender.stop();
  }
}

async function costOf({ process }: Contender) {
  return { traffic: await process.trafficBytes(), cpuSeconds: await process.cpuSeconds() };
}

async function publish(
  { port }: Contender,
  handle: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v21.0/${appId}/files`, {
    method: "POST",
    headers: { Authorization: headers.Authorization ?? "" },
    body: new URLSearchParams({ handle }),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`publish: ${response.status} ${answer}`);
}

async function extentsIn({ postgres, database }: SharedStores): Promise<number> {
  const text = "select count(*)::int as count from extents";
  const [row] = await postgres.query<{ count: number }>(text, database);
  return row?.count ?? 0;
}
