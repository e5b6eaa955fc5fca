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
    dropInput(socket);
    const wait = (): void => {
      const cancel = this.#clock.after(limits.lingerMsMax, () => {
        socket.destroy();
      });
      socket.once("close", cancel);
    };
    // An answer that is still on its way has the time that any answer has.
    if (socket.writableFinished) wait();
    else socket.once("finish", wait);
  }
}

function dropInput(socket: Socket): void {
  let dropped = 0;
  const drop = (chunk: Buffer): void => {
    dropped += chunk.length;
    if (dropped >= limits.lingerBytesMax) socket.pause();
  };
  const take = (): void => {
    // Node's server would parse it, and hands over a socket only to who listens for its data.
    socket.removeAllListeners("data");
    socket.on("data", drop);
  };
  if (!socket.isPaused()) {
    take();
    return;
  }
  // Only while Node's server still has the socket does resuming it make the kernel's bytes come.
  socket.once("resume", take);
  socket.resume();
}
