import type { IncomingMessage } from "node:http";

import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

export interface RefusedRequest {
  readonly request: IncomingMessage;
  readonly clock: Clock;
  /** False when the body never began or cannot be read as one. */
  readonly drain: boolean;
}

/**
 * Closes a connection whose request was answered before its body had been read: a bounded part of
 * the body is read and dropped first, for clients that listen only once they have sent it.
 */
export async function closeRefused({ request, clock, drain }: RefusedRequest): Promise<void> {
  if (drain) await dropSome(request, clock);
  // Lingers: see lingering-close.ts.
  request.socket.destroySoon();
}

async function dropSome(request: IncomingMessage, clock: Clock): Promise<void> {
  const done = Promise.withResolvers<undefined>();
  const finish = (): void => {
    done.resolve(undefined);
  };
  let dropped = 0;
  const drop = (chunk: Buffer): void => {
    dropped += chunk.length;
    if (dropped < limits.refusedBytesMax) return;
    request.pause();
    finish();
  };
  const { socket } = request;
  request.on("error", finish);
  request.on("data", drop);
  request.once("end", finish);
  request.once("close", finish);
  socket.once("close", finish);
  socket.once("end", finish);
  const cancel = clock.after(limits.refusedMsMax, finish);
  request.resume();
  if (request.destroyed || request.readableEnded || socket.readableEnded) finish();
  await done.promise;
  cancel();
  request.off("data", drop);
  request.pause();
  socket.off("close", finish);
  socket.off("end", finish);
}
