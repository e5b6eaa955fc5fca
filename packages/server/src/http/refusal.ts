import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

/** How long the client may take to see that we have finished, before the socket goes. */
const LINGER_MS = 500;

export interface RefusedRequest {
  readonly request: IncomingMessage;
  readonly clock: Clock;
  /** False when the client was never told to begin, so that nothing needs to be read. */
  readonly drain: boolean;
}

/**
 * Closes a connection whose request was answered before its body had been read. A socket that is
 * closed over unread bytes is reset, and the reset can overtake the answer: so a bounded part of
 * the body is read and dropped, then our side is closed, and only then the socket goes.
 */
export async function closeRefused({ request, clock, drain }: RefusedRequest): Promise<void> {
  const { socket } = request;
  if (drain) await dropSome(request, clock);
  if (socket.destroyed) return;
  socket.end();
  await lingered(socket, clock);
  socket.destroy();
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

async function lingered(socket: Socket, clock: Clock): Promise<void> {
  const done = Promise.withResolvers<undefined>();
  const finish = (): void => {
    done.resolve(undefined);
  };
  socket.once("close", finish);
  const cancel = clock.after(LINGER_MS, finish);
  await done.promise;
  cancel();
}
