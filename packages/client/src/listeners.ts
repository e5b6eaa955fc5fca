import type { Clock } from "./clock.ts";
import { toError } from "./errors.ts";

/** How often a listener wants to be told. */
export interface SubscribeOptions {
  /** Tell at most once in so many milliseconds; the newest is always told in the end. */
  readonly everyMs?: number | undefined;
}

interface Listener {
  readonly tell: () => void;
  readonly everyMs: number;
  toldMs: number;
  /** A telling that waits for its time. */
  pending: AbortController | undefined;
}

/** Who wants to know of changes of one thing, each at its own pace. */
export class Listeners<Value> {
  readonly #read: () => Value;
  readonly #clock: Clock;
  readonly #listeners = new Set<Listener>();

  /** @param read what is told: asked for only when somebody listens */
  constructor(read: () => Value, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Answers what ends it. */
  subscribe(tell: (value: Value) => void, { everyMs = 0 }: SubscribeOptions = {}): () => void {
    const guardedTell = guarded(tell);
    const listener: Listener = {
      tell: () => {
        guardedTell(this.#read());
      },
      everyMs,
      toldMs: -Infinity,
      pending: undefined,
    };
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      listener.pending?.abort();
    };
  }

  /** Something changed. */
  notify(): void {
    for (const listener of this.#listeners) this.#offer(listener);
  }

  /** The last change: told at once, and nobody is told anything after it. */
  finish(): void {
    for (const listener of this.#listeners) {
      this.#listeners.delete(listener);
      listener.pending?.abort();
      listener.tell();
    }
  }

  #offer(listener: Listener): void {
    if (listener.pending !== undefined) return;
    const nowMs = this.#clock.now();
    const waitMs = listener.toldMs + listener.everyMs - nowMs;
    if (waitMs <= 0) this.#tell(listener, nowMs);
    // A clock that was put back must not silence anybody.
    else void this.#tellLater(listener, Math.min(waitMs, listener.everyMs));
  }

  #tell(listener: Listener, nowMs: number): void {
    listener.toldMs = nowMs;
    listener.tell();
  }

  async #tellLater(listener: Listener, waitMs: number): Promise<void> {
    const pending = new AbortController();
    listener.pending = pending;
    await this.#clock.sleep(waitMs, pending.signal).catch(() => undefined);
    if (pending.signal.aborted) return;
    listener.pending = undefined;
    this.#tell(listener, this.#clock.now());
  }
}

/** Calls a listener, whose own mistake is reported as uncaught and does not disturb the upload. */
export function guarded<Value>(
  listener: ((value: Value) => unknown) | undefined,
): (value: Value) => void {
  return (value) => {
    try {
      listener?.(value);
    } catch (thrown) {
      queueMicrotask(() => {
        throw toError(thrown);
      });
    }
  };
}
