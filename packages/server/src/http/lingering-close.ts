import type { Socket } from "node:net";

import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

/**
 * Closes connections whose client may still be sending. A socket that is closed over unread bytes
 * is reset, and the reset can overtake the answer: so our side ends first, then what comes is read
 * and dropped until the client ends its own (RFC 9112, section 9.6). Time and bytes are bounded.
 */
export class LingeringClose {
  readonly #clock: Clock;
  readonly #closing = new WeakSet<Socket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on who closes the socket behind its last answer, as Node's server does, lingers. */
  adopt(socket: Socket): void {
    socket.destroySoon = () => {
      this.#close(socket);
    };
  }

  /** Whether the socket has had its last answer: nothing that still comes on it matters. */
  has(socket: Socket): boolean {
    return this.#closing.has(socket);
  }

  #close(socket: Socket): void {
    if (socket.destroyed || this.has(socket)) return;
    this.#closing.add(socket);
    socket.end();
    const dropping = dropInput(socket);
    // An answer that is still on its way has the time that any answer has.
    if (socket.writableFinished) this.#wait(socket, dropping);
    else
      socket.once("finish", () => {
        this.#wait(socket, dropping);
      });
  }

  /** Until the client ends its side, too, falls silent, or has had its time. */
  #wait(socket: Socket, dropping: Dropping): void {
    const from = this.#clock.monotonic();
    let heard = dropping.bytes;
    const look = (): void => {
      const isOver = this.#clock.monotonic() - from >= limits.lingerMsMax;
      if (isOver || dropping.bytes === heard) {
        socket.destroy();
        return;
      }
      heard = dropping.bytes;
      cancel = this.#clock.after(limits.lingerSilentMsMax, look);
    };
    let cancel = this.#clock.after(limits.lingerSilentMsMax, look);
    socket.once("close", () => {
      cancel();
    });
  }
}

/** What came after the last answer, so far. */
interface Dropping {
  bytes: number;
}

function dropInput(socket: Socket): Dropping {
  const dropping = { bytes: 0 };
  const drop = (chunk: Buffer): void => {
    dropping.bytes += chunk.length;
    if (dropping.bytes >= limits.lingerBytesMax) socket.pause();
  };
  const take = (): void => {
    // Node's server would parse it, and hands over a socket only to who listens for its data.
    socket.removeAllListeners("data");
    socket.on("data", drop);
  };
  if (!socket.isPaused()) {
    take();
    return dropping;
  }
  // Only while Node's server still has the socket does resuming it make the kernel's bytes come.
  socket.once("resume", take);
  socket.resume();
  return dropping;
}
