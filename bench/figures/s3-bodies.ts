import { createUpload, type BenchRequest, type Contender } from "../contenders/contender.ts";
import {
  hawserOnS3,
  libStorage,
  tusOnS3,
  type S3ContenderKind,
} from "../contenders/s3-contenders.ts";
import type { Bench, Figure, Measured } from "../figure.ts";
import { run } from "../processes.ts";
import { curlArguments } from "../senders/curl.ts";
import { SharedStores } from "../shared-stores.ts";

const bodyBytes = 512 * 1024 ** 2;
const appendedBytes = 100_000_000;
const appendBytes = 1_000_000;

/** What a byte costs on its way to a bucket, next to the store's own uploader. */
export const s3OneBody: Figure = {
  name: "s3-one-body",
  title: "one 512 MiB body to S3, sent by curl",
  group: "many nodes",
  missing: () => SharedStores.missing(),
  measure: async (bench) => {
    const rounds = await bench.rounds([hawserOnS3, libStorage, tusOnS3], (kind) =>
      measureBody(kind, { bench, length: bench.bytes(bodyBytes), send: sendByCurl }),
    );
    const { name: of } = hawserOnS3;
    return [
      rounds.ratio({ of, to: libStorage.name, what: "rateMBs", least: 0.95 }),
      rounds.ratio({ of, to: libStorage.name, what: "cpuSecondsPerGB" }),
      rounds.ratio({ of, to: tusOnS3.name, what: "rateMBs" }),
      rounds.ratio({ of, to: tusOnS3.name, what: "cpuSecondsPerGB" }),
    ];
  },
};

/** A client that sends a megabyte a request: each is acknowledged, so each is an object. */
export const s3SmallAppends: Figure = {
  name: "s3-small-appends",
  title: "100 MB to S3 in appends of 1,000,000 bytes",
  group: "many nodes",
  missing: () => SharedStores.missing(),
  measure: async (bench) => {
    const items = [hawserOnS3, tusOnS3].flatMap((kind) => [
      { name: `${kind.name}, appends`, kind, send: sendInAppends },
      { name: `${kind.name}, one stream`, kind, send: sendByCurl },
    ]);
    const rounds = await bench.rounds(items, ({ kind, send }) =>
      measureBody(kind, { bench, length: bench.bytes(appendedBytes), send }),
    );
    const of = `${hawserOnS3.name}, appends`;
    const others = items.map(({ name }) => name).filter((name) => name !== of);
    return others.map((to) => rounds.ratio({ of, to, what: "rateMBs" }));
  },
};

interface Sending {
  readonly contender: Contender;
  readonly target: BenchRequest;
  readonly file: string;
  readonly length: number;
}

type Send = (sending: Sending) => Promise<{ readonly seconds: number }>;

async function measureBody(
  kind: S3ContenderKind,
  { bench, length, send }: { readonly bench: Bench; readonly length: number; readonly send: Send },
): Promise<Measured> {
  const file = await bench.memory.file("body", length);
  await using directory = await bench.memory.directory();
  await using stores = await SharedStores.start();
  const contender = await kind.start({ stores, directory: directory.path });
  try {
    const target = await createUpload(contender, length);
    const before = await contender.process.cpuSeconds();
    const { seconds } = await send({ contender, target, file, length });
    const cpuSeconds = (await contender.process.cpuSeconds()) - before;
    return { cpuSecondsPerGB: (cpuSeconds * 1e9) / length, rateMBs: length / 1e6 / seconds };
  } finally {
    await contender.stop();
  }
}

function sendByCurl({ contender: { port }, target, file }: Sending) {
  return run("curl", curlArguments(port, target, file));
}

/** One after the other, each from where the one before was acknowledged. */
async function sendInAppends({ contender: { port }, target, length }: Sending) {
  const offsetName = "file_offset" in target.headers ? "file_offset" : "Upload-Offset";
  const bytes = Buffer.alloc(appendBytes, "a megabyte of the same");
  const begun = performance.now();
  for (let offset = 0; offset < length; offset += appendBytes) {
    const response = await fetch(`http://127.0.0.1:${port}${target.path}`, {
      method: target.method,
      headers: { ...target.headers, [offsetName]: `${offset}` },
      body: bytes.subarray(0, Math.min(appendBytes, length - offset)),
    });
    const answer = await response.text();
    // An append that leaves the upload open is answered with the offset that was reached.
    if (!response.ok) throw new Error(`append at ${offset}: ${response.status} ${answer}`);
  }
  return { seconds: (performance.now() - begun) / 1000 };
}
