import type { Clock } from "../base/clock.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import { InTurn } from "./in-turn.ts";
import {
  askForLease,
  heldByOthers,
  ownLeases,
  releaseLease,
  takeLease,
  tellFree,
} from "./lease-queries.ts";
import type { OwnLease } from "./lease-queries.ts";
import type { PostgresPool } from "./postgres-pool.ts";
import type { Upload } from "./records.ts";
import { uploadOf } from "./rows.ts";

const pauseMsMin = 50;
const pauseMsMax = 250;
/** A take whose answer was lost may have come late: rows are looked at even when nothing is held. */
const callsPerIdleLook = 5;

interface Held {
  readonly fence: string;
  /** The number of looks begun when it was known to be ours; undefined while it is being taken. */
  readonly knownAt: number | undefined;
  /** Nobody here writes under it; the row may still say that we hold it. */
  readonly isLeft: boolean;
}

export interface PostgresLeasesParts {
  readonly pool: PostgresPool;
  readonly clock: Clock;
  readonly node: string;
  readonly channel: string;
}

/**
 * The leases of this node. Whoever wants one that another node holds writes so into its row, tells
 * everybody who listens, and waits; the holder hears of it, or finds it when it looks.
 */
export class PostgresLeases {
  readonly #parts: PostgresLeasesParts;
  readonly #turns = new InTurn();
  readonly #held = new Map<string, Held>();
  /** Those waiting here for an upload to be let go elsewhere. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #wanted = new Set<string>();
  readonly #listeners: ((id: string) => void)[] = [];
  #looks = 0;
  #calls = 0;
  #isLookDue = false;

  constructor(parts: PostgresLeasesParts) {
    this.#parts = parts;
  }

  onWanted(listener: (id: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Those of the uploads that a living node writes which is not this one. */
  async heldElsewhere(ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const { rows } = await this.#parts.pool.run(heldByOthers(this.#parts.node, ids));
    return new Set(rows.map(({ id }) => id));
  }

  /** Changes of one upload take effect in the order in which they are asked for. */
  inTurn<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    return this.#turns.do(id, work);
  }

  async take(id: string, fence: string): Promise<Upload | undefined> {
    const { clock, pool, channel } = this.#parts;
    const giveUpAt = clock.monotonic() + limits.yieldMsMax;
    for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
      // From before the try on: what is let go in between must not be missed.
      const freed = this.#waitUntilFree(id);
      try {
        const upload = await this.inTurn(id, () => this.#tryToTake(id, fence));
        if (upload !== undefined) return upload;
        const { rows } = await pool.run(askForLease(id, channel));
        if (rows[0]?.found !== true) return undefined;
        const leftMs = giveUpAt - clock.monotonic();
        if (leftMs <= 0) throw uploadError("upload_busy", { retryAfterSeconds: 1 });
        await freed.orAfter(Math.min(pauseMs, leftMs));
      } finally {
        freed.forget();
      }
    }
  }

  release(id: string, fence: string): Promise<void> {
    return this.inTurn(id, async () => {
      const held = this.#held.get(id);
      if (held?.fence === fence) this.#held.set(id, { ...held, isLeft: true });
      await this.#let(id, fence);
    });
  }

  /** A holder asked at a checkpoint whether its lease is wanted. */
  noteWanted(id: string): void {
    this.#wanted.add(id);
    for (const listener of this.#listeners) listener(id);
  }

  /** The upload has ended, and with it the lease. */
  async noteEnded(id: string): Promise<void> {
    this.#held.delete(id);
    if (!this.#wanted.delete(id)) return;
    // Whoever waits finds out without being told, only later.
    await this.#parts.pool.run(tellFree(id, this.#parts.channel)).catch(() => undefined);
  }

  /** What another node said. */
  hear(word: string, id: string): void {
    if (word === "free") for (const wake of this.#waiting.get(id) ?? []) wake();
    if (word !== "wanted") return;
    if (this.#held.has(id)) this.noteWanted(id);
    // Perhaps the row says that we hold it, which nobody here knows of.
    else this.#isLookDue = true;
  }

  /** Called now and then. */
  async lookWhenDue(): Promise<void> {
    this.#calls += 1;
    if (this.#held.size === 0 && !this.#isLookDue && this.#calls % callsPerIdleLook !== 0) return;
    this.#isLookDue = false;
    await this.look();
  }

  /** Compares what we hold with what the rows say of us. */
  async look(): Promise<void> {
    this.#looks += 1;
    const look = this.#looks;
    const { rows } = await this.#parts.pool.run(ownLeases(this.#parts.node));
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const [id, held] of [...this.#held]) {
      // What was taken while the rows were read may not be among them.
      if (held.knownAt === undefined || held.knownAt >= look) continue;
      await this.#compare(id, held, found.get(id));
    }
    for (const { id, fence } of rows) if (!this.#held.has(id)) await this.#let(id, fence);
  }

  async #compare(id: string, held: Held, row: OwnLease | undefined): Promise<void> {
    if (held.isLeft) await this.#let(id, held.fence);
    else if (row?.fence !== held.fence || row.wanted_at !== null) this.noteWanted(id);
  }

  async #tryToTake(id: string, fence: string): Promise<Upload | undefined> {
    const { node, pool } = this.#parts;
    const before = this.#held.get(id);
    this.#held.set(id, { fence, knownAt: undefined, isLeft: false });
    try {
      const { rows } = await pool.run(takeLease({ id, fence, node }));
      const [row] = rows;
      if (row !== undefined) {
        this.#wanted.delete(id);
        this.#held.set(id, { fence, knownAt: this.#looks, isLeft: false });
        return uploadOf(row);
      }
    } catch (error) {
      // It may be ours without anybody here knowing: the next look lets it go.
      this.#held.set(id, { fence, knownAt: this.#looks, isLeft: true });
      throw error;
    }
    if (before === undefined) this.#held.delete(id);
    else this.#held.set(id, before);
    return undefined;
  }

  async #let(id: string, fence: string): Promise<void> {
    await this.#parts.pool.run(releaseLease({ id, fence }, this.#parts.channel));
    const held = this.#held.get(id);
    if (held?.fence !== fence) return;
    this.#held.delete(id);
    this.#wanted.delete(id);
  }

  #waitUntilFree(id: string) {
    const freed = Promise.withResolvers<undefined>();
    const wake = (): void => {
      freed.resolve(undefined);
    };
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(wake));
    return {
      orAfter: async (ms: number): Promise<void> => {
        const timeout = Promise.withResolvers<undefined>();
        const cancel = this.#parts.clock.after(ms, () => {
          timeout.resolve(undefined);
        });
        await Promise.race([freed.promise, timeout.promise]);
        cancel();
      },
      forget: (): void => {
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(id);
      },
    };
  }
}
