import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

interface Entry<Value> {
  readonly value: Value;
  readonly until: number;
}

/**
 * What was looked up a moment ago, so that a burst of requests looks once. Short enough that what
 * another process changes, a revocation say, takes effect within a second.
 */
export class Recent<Value> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.monotonic() < entry.until ? entry.value : undefined;
  }

  set(key: string, value: Value): void {
    if (this.#entries.size >= limits.recentEntriesMax) this.#entries.clear();
    this.#entries.set(key, { value, until: this.#clock.monotonic() + limits.recentMs });
  }

  /** For what this process itself has changed. */
  clear(): void {
    this.#entries.clear();
  }
}
