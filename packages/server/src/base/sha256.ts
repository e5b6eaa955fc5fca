import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { Gate } from "./gate.ts";
import { limits } from "./limits.ts";

/** Below this a thread costs more than the hash: at 1.5 GB/s it is less than a millisecond. */
const inlineBytesMax = 1024 * 1024;

/** Each reads a whole file and has a thread: however many are asked for, few are made at once. */
const workers = new Gate(limits.digestsInFlight);

/**
 * SHA-256 in hex of all that is read, away from the event loop: a large file takes seconds. The
 * next chunk is read while the one before is hashed. Who waits for its turn waits until the signal
 * is aborted; what is being read ends with its source.
 */
export async function sha256Of(
  chunks: AsyncIterable<Uint8Array>,
  length: number,
  signal?: AbortSignal,
): Promise<string> {
  if (length > inlineBytesMax) return await workers.run(() => hashInWorker(chunks), signal);
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

async function hashInWorker(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./sha256-worker.${extension}`, import.meta.url));
  try {
    let hashed: Promise<string | null> = Promise.resolve(null);
    for await (const chunk of chunks) {
      await hashed;
      hashed = ask(worker, chunk);
      // Its failure is met at the next turn, however long reading takes until then.
      hashed.catch(() => undefined);
    }
    await hashed;
    return String(await ask(worker, null));
  } finally {
    await worker.terminate();
  }
}

function ask(worker: Worker, chunk: Uint8Array | null): Promise<string | null> {
  const answer = Promise.withResolvers<string | null>();
  worker.once("message", answer.resolve);
  worker.once("error", answer.reject);
  worker.postMessage(chunk);
  return answer.promise.finally(() => worker.off("error", answer.reject));
}
