import type { Clock } from "../../../packages/server/src/base/clock.ts";

/** Any wall time will do; a fixed one keeps schedules equal. */
const epochMs = 1_700_000_000_000;

interface Event {
  readonly at: number;
  readonly run: () => void;
}

/**
 * Time that passes only when the next event is run. All latencies of a simulation are events here,
 * so that one seed gives one order of everything.
 */
export class SimulatedTime implements Clock {
  #now = 0;
  /** Latest first, so that the next one is taken off the end. */
  #events: Event[] = [];

  now(): number {
    return epochMs + Math.floor(this.#now);
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.after(ms, resolve);
      signal?.addEventListener("abort", () => {
        cancel();
        reject(new Error("aborted", { cause: signal.reason }));
      });
    });
  }

  after(ms: number, task: () => void): () => void {
    const event: Event = { at: this.#now + Math.max(0, ms), run: task };
    let index = this.#events.length;
    // Events of the same time run in the order they were asked for.
    while (index > 0 && (this.#events[index - 1]?.at ?? 0) <= event.at) index -= 1;
    this.#events.splice(index, 0, event);
    return () => {
      const place = this.#events.indexOf(event);
      if (place !== -1) this.#events.splice(place, 1);
    };
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const event = this.#events.pop();
    if (event === undefined) return false;
    this.#now = event.at;
    event.run();
    return true;
  }

  /** Lets time pass while nothing happens. */
  jump(ms: number): void {
    if (this.#events.length > 0) throw new Error("time cannot jump over events");
    this.#now += ms;
  }

  /** What a process that ends was waiting for never comes. */
  dropEvents(): void {
    this.#events = [];
  }
}
