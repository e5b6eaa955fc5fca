import type { Catalog } from "../catalog/catalog.ts";

const heldMark = "removal-held";
const identityMark = "database-identity";
const sweepsMark = "sweeps";

/** Whether the catalog may be believed when it says that bytes are not needed. */
export interface RemovalGuard {
  /** Why nothing may be removed; undefined when it may. */
  refusal(): Promise<string | undefined>;
  /** The same before a sweep, which is counted unless it is refused. */
  countSweep(): Promise<string | undefined>;
}

/** Where the bytes are nobody else's and lie beside the catalog: they are restored together. */
export const unguardedRemoval: RemovalGuard = {
  refusal: () => Promise.resolve(undefined),
  countSweep: () => Promise.resolve(undefined),
};

/** A count that is kept with the bytes. */
export interface SweepCounter {
  read(): Promise<number | undefined>;
  write(count: number): Promise<void>;
}

export interface CatalogGuardParts {
  readonly catalog: Pick<Catalog, "readMark" | "writeMark" | "raiseMark" | "claimMark">;
  readonly counter: SweepCounter;
  /** Names the database that answers now; undefined where a database has no name of its own. */
  readonly identity: () => Promise<string | undefined>;
}

/**
 * Recognises a restored catalog: it does not know of the latest sweeps, of which the count beside
 * the bytes tells. What it says about bytes is out of date, so nothing is removed on its word.
 */
export class CatalogGuard implements RemovalGuard {
  readonly #parts: CatalogGuardParts;

  constructor(parts: CatalogGuardParts) {
    this.#parts = parts;
  }

  async refusal(): Promise<string | undefined> {
    const { catalog, identity } = this.#parts;
    const held = await catalog.readMark(heldMark);
    if (held !== undefined && held !== "") return held;
    const current = await identity();
    if (current !== undefined) {
      const known = await catalog.claimMark(identityMark, current);
      if (known !== current) return `the database is ${current}, and was ${known} before`;
    }
    // In this order, against that of counting: a sweep in between cannot look like a restored one.
    const inStore = (await this.#parts.counter.read()) ?? 0;
    const inCatalog = await this.#countInCatalog();
    if (inCatalog >= inStore) return undefined;
    return `the catalog knows of ${inCatalog} sweeps, the store of ${inStore}: it was restored`;
  }

  async countSweep(): Promise<string | undefined> {
    const refusal = await this.refusal();
    if (refusal !== undefined) return refusal;
    const { catalog, counter } = this.#parts;
    let count = (await this.#countInCatalog()) + 1;
    // The catalog first: a crash in between leaves it ahead, which is no sign of a restored one.
    await catalog.raiseMark(sweepsMark, count);
    for (;;) {
      const inStore = (await counter.read()) ?? 0;
      if (inStore < count) break;
      // Another process went by meanwhile, and the store's count is not to be lowered.
      count = inStore + 1;
      await catalog.raiseMark(sweepsMark, count);
    }
    await counter.write(count);
    return undefined;
  }

  /** Lets bytes be removed on this catalog's word, from now on: an operator says so. */
  async allow(): Promise<void> {
    const { catalog, counter, identity } = this.#parts;
    const current = await identity();
    if (current !== undefined) await catalog.writeMark(identityMark, current);
    await catalog.raiseMark(sweepsMark, (await counter.read()) ?? 0);
    await catalog.writeMark(heldMark, "");
  }

  /** Lets nothing be removed until it is allowed again, whatever the counts say. */
  async hold(reason: string): Promise<void> {
    await this.#parts.catalog.writeMark(heldMark, reason);
  }

  async #countInCatalog(): Promise<number> {
    return Number((await this.#parts.catalog.readMark(sweepsMark)) ?? "0");
  }
}
