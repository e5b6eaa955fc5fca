import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { within } from "../support/eventually.ts";
import type { RawAddress } from "../support/raw-http.ts";

export interface RawTrial {
  /** Written one after the other, each as a segment of its own as far as the kernel lets us. */
  readonly slices: readonly Uint8Array[];
  /** Told everything received so far: whether what can be expected has come. */
  readonly settled: (received: Buffer) => boolean;
  /** How long nothing may come before the client says that it will send no more. */
  readonly quietMs: number;
}

export interface RawOutcome {
  readonly received: Buffer;
  /** False when the connection was reset rather than closed. */
  readonly orderly: boolean;
}

/**
 * Sends bytes that may be anything, waits for what comes, finishes its side, and reads to the end.
 * A server that then neither answers nor closes is an error: it would hold the connection forever.
 */
export async function sendRaw(address: RawAddress, trial: RawTrial): Promise<RawOutcome> {
  const socket = connect({ ...address, allowHalfOpen: true });
  const closed = Promise.withResolvers<undefined>();
  const chunks: Buffer[] = [];
  let [orderly, ended] = [true, false];
  let heardAt = performance.now();
  const received = (): Buffer => Buffer.concat(chunks);
  socket.setNoDelay(true);
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    heardAt = performance.now();
  });
  socket.on("end", () => {
    ended = true;
    socket.end();
  });
  socket.on("error", () => {
    orderly = false;
  });
  socket.on("close", () => {
    ended = true;
    closed.resolve(undefined);
  });
  for (const slice of trial.slices) {
    socket.write(slice);
    if (trial.slices.length > 1) await sleep(1);
  }
  while (!ended && !trial.settled(received()) && performance.now() - heardAt < trial.quietMs) {
    await sleep(2);
  }
  socket.end();
  try {
    await within(closed.promise, { what: "the server to answer or close", timeoutMs: 40_000 });
  } finally {
    socket.destroy();
  }
  return { received: received(), orderly };
}
