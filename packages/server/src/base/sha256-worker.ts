import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";

/** Hashes the chunks it is sent; each is acknowledged, so that the sender never runs ahead. */
const hash = createHash("sha256");
parentPort?.on("message", (chunk: Uint8Array | null) => {
  if (chunk === null) {
    parentPort?.postMessage(hash.digest("hex"));
    parentPort?.close();
    return;
  }
  hash.update(chunk);
  parentPort?.postMessage(null);
});
