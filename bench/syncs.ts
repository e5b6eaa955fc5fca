import { spawn } from "node:child_process";
import { once } from "node:events";

export interface Syncs {
  readonly calls: number;
  /** From the call to its return, of all of them together. */
  readonly seconds: number;
}

/** What all threads of a process synced while the work was done, as strace counts it. */
export async function syncsDuring(pid: number, work: () => Promise<void>): Promise<Syncs> {
  const options = ["-f", "-c", "-w", "-e", "trace=fsync,fdatasync", "-p", `${pid}`];
  const tracer = spawn("strace", options, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(tracer, "close");
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    tracer.once("error", reject);
    void ended.then(() => {
      reject(new Error(`strace ended: ${said.join("")}`));
    }, reject);
    tracer.stderr.on("data", (chunk: Buffer) => {
      said.push(chunk.toString());
      if (said.join("").includes("attached")) resolve();
    });
  });
  try {
    await work();
  } finally {
    tracer.kill("SIGINT");
    await ended;
  }
  const rows = said.join("").matchAll(/^ *[\d.]+ +([\d.]+) +\d+ +(\d+) .*sync$/gm);
  const found = Array.from(rows, ([, seconds, calls]) => [Number(seconds), Number(calls)] as const);
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
  return {
    calls: sum(found.map(([, calls]) => calls)),
    seconds: sum(found.map(([seconds]) => seconds)),
  };
}
