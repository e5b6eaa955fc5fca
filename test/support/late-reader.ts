import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

import { within } from "./eventually.ts";
import type { RawAddress } from "./raw-http.ts";

export interface LateReading {
  readonly received: Buffer;
  /** Bytes that the kernel took over before the connection was lost, or all of them. */
  readonly taken: number;
  /** False when the connection was reset rather than closed. */
  readonly orderly: boolean;
}

/**
 * A client that reads nothing before it has sent all it has, piece by piece: what a reset takes
 * from it is lost. Then it reads to the end and closes its own side.
 */
export async function sendThenRead(
  address: RawAddress,
  pieces: Iterable<Uint8Array | string>,
): Promise<LateReading> {
  const socket = connect({ ...address, allowHalfOpen: true });
  let orderly = true;
  socket.on("error", () => {
    orderly = false;
  });
  const closed = Promise.withResolvers<undefined>();
  socket.on("close", () => {
    closed.resolve(undefined);
  });
  await within(once(socket, "connect"), { what: "a connection" });
  socket.setNoDelay(true);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("end", () => socket.end());
  socket.pause();
  try {
    for (const piece of pieces) {
      if (!(await Promise.race([handedOver(socket, piece), closed.promise]))) break;
      await delay(1);
    }
    socket.resume();
    await within(closed.promise, { what: "the server to close", timeoutMs: 20_000 });
    const taken = socket.bytesWritten - socket.writableLength;
    return { received: Buffer.concat(chunks), taken, orderly };
  } finally {
    socket.destroy();
  }
}

function handedOver(socket: Socket, piece: Uint8Array | string): Promise<boolean> {
  return new Promise((resolve) => {
    socket.write(piece, (error) => {
      resolve(error === undefined || error === null);
    });
  });
}
