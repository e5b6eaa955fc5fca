import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Socket } from "node:net";
import { createUpload, type BenchRequest, type ContenderKind } from "../contenders/contender.ts";
import { hawser } from "../contenders/hawser.ts";
import { tusServer } from "../contenders/tus-server.ts";
import type { Bench, Figure, Measured } from "../figure.ts";

const takeoverBytes = 2 * 1024 ** 2;
export const stalledAt = 1024 ** 2;
/** The peer needs seconds for each; its figure is for comparison only. */
const fewTakeovers = 3;
const takeovers = 100;

/** A client that came back while its old connection still hangs: how long until it is let in. */
export const takeover: Figure = {
  name: "takeover",
  title: "takeover of a stalled writer, p99",
  measure: async (bench) => {
    const rounds = await bench.rounds([hawser, tusServer], (kind) => measure(bench, kind));
    const row = rounds.ratio({ of: hawser.name, to: tusServer.name, what: "p99Ms", most: 100 });
    return [{ ...row, judge: "value" }];
  },
};

async function measure(bench: Bench, kind: ContenderKind): Promise<Measured> {
  await using directory = await bench.disk.directory();
  const contender = await kind.start(directory.path);
  const times: number[] = [];
  try {
    const count = bench.count(kind === hawser ? takeovers : fewTakeovers);
    for (let index = 0; index < count; index += 1) {
      const target = await createUpload(contender, takeoverBytes);
      const stalled = await stall(contender.port, target, takeoverBytes);
      times.push(await takeOver(contender.port, target, takeoverBytes));
      stalled.destroy();
    }
  } finally {
    await contender.stop();
  }
  return { p99Ms: percentile(times, 0.99), p50Ms: percentile(times, 0.5) };
}

/** A writer that sent the first MiB of its body and then nothing more. */
export async function stall(port: number, target: BenchRequest, length: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => undefined);
  socket.on("data", () => undefined);
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `${target.method} ${target.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers.join("")}` +
      `Content-Length: ${length}\r\n\r\n`,
  );
  socket.write(Buffer.alloc(stalledAt));
  await sleep(100);
  return socket;
}

/** Asks for the offset and goes on from there, until the rest of the upload is taken. */
export async function takeOver(
  port: number,
  target: BenchRequest,
  length: number,
): Promise<number> {
  const begun = performance.now();
  const url = `http://127.0.0.1:${port}${target.path}`;
  for (;;) {
    const offset = await offsetOf(url, target);
    const name = "file_offset" in target.headers ? "file_offset" : "Upload-Offset";
    const response = await fetch(url, {
      method: target.method,
      headers: { ...target.headers, [name]: `${offset}` },
      body: Buffer.alloc(length - offset),
    });
    await response.arrayBuffer();
    if (response.ok) return performance.now() - begun;
  }
}

async function offsetOf(url: string, target: BenchRequest): Promise<number> {
  const isGraph = "file_offset" in target.headers;
  const response = await fetch(url, { method: isGraph ? "GET" : "HEAD", headers: target.headers });
  const body = await response.text();
  if (isGraph) return Number(/"file_offset":(\d+)/.exec(body)?.[1]);
  return Number(response.headers.get("Upload-Offset"));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
