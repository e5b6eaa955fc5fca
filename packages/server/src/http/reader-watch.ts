import type { Socket } from "node:net";

import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

const CHECK_MS = 1_000;

interface Reading {
  taken: number;
  since: number;
}

/**
 * Ends connections whose client takes nothing of what it asked for: a download would hold its file
 * and its buffers for ever. All of them are under one timer.
 */
export class ReaderWatch {
  readonly #clock: Clock;
  readonly #readers = new Map<Socket, Reading>();
  #ticking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(socket: Socket): void {
    this.#readers.set(socket, { taken: 0, since: this.#clock.monotonic() });
    this.#schedule();
  }

  /** To be called when the connection is closed. */
  delete(socket: Socket): void {
    this.#readers.delete(socket);
  }

  #schedule(): void {
    if (this.#ticking || this.#readers.size === 0) return;
    this.#ticking = true;
    this.#clock.after(CHECK_MS, () => {
      this.#ticking = false;
      const now = this.#clock.monotonic();
      for (const [socket, reading] of this.#readers) check(socket, reading, now);
      this.#schedule();
    });
  }
}

function check(socket: Socket, reading: Reading, now: number): void {
  // Writes that the kernel has taken whole; one that is under way does not count yet.
  const taken = socket.bytesWritten - socket.writableLength;
  if (socket.writableLength === 0 || taken !== reading.taken) {
    reading.taken = taken;
    reading.since = now;
    return;
  }
  if (now - reading.since >= limits.readerSilentMsMax) socket.destroy();
}
