import {
  CatalogFullError,
  type Advance,
  type Catalog,
  type EndUpload,
} from "../../../packages/server/src/catalog/catalog.ts";
import type { Chance } from "./chance.ts";
import type { Later } from "./thread-pool.ts";
import type { Weather } from "./weather.ts";

/** What the catalog tells whoever watches over it, at the moment it is committed. */
export interface CatalogWatch {
  /** @param fence the one that was current */
  advanced(advance: Advance, fence: string | undefined): void;
  ended(ending: EndUpload, fence: string | undefined): void;
  expired(ids: readonly string[], held: ReadonlySet<string>): void;
  injects(fault: string): void;
}

export interface SimulatedCatalogParts {
  /** One process's catalog, over rows that outlive it. */
  readonly inner: Catalog;
  readonly chance: Chance;
  readonly later: Later;
  readonly weather: () => Weather;
  readonly watch: CatalogWatch;
  /** Called when the outcome of a commit is unknown: the process must end. */
  readonly onFailure: (error: Error) => void;
}

interface Write {
  readonly verb: string;
  readonly apply: () => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

const reads = new Set<string | symbol>([
  "findUpload",
  "listUploads",
  "listExtents",
  "listExpiring",
  "listOpen",
  "countUploads",
  "heldElsewhere",
  "listOpenSince",
  "bytesStillDue",
  "listUncompleted",
  "findFile",
  "findFileOfUpload",
  "listFiles",
  "listUndigested",
  "listDoomed",
  "knownKeys",
  "listBlobs",
  "readMark",
]);
const changes = new Set([
  ...["insertUpload", "advance", "end", "expireUploads", "forgetDoomed", "putOffDoomed"],
]);

/**
 * A catalog whose writes wait in one queue, are committed in groups and answered later, as the
 * writer worker's are. A crash in between leaves a beginning of the queue committed.
 */
export class SimulatedCatalog {
  /** What the program is given. */
  readonly catalog: Catalog;
  readonly #parts: SimulatedCatalogParts;
  readonly #fences = new Map<string, string>();
  #queue: Write[] = [];
  #busy = false;
  #failure: Error | undefined;

  constructor(parts: SimulatedCatalogParts) {
    this.#parts = parts;
    this.catalog = new Proxy(parts.inner, {
      get: (inner, verb) => {
        const method: unknown = Reflect.get(inner, verb);
        // The one verb that asks for nothing: it only says whom to call.
        if (typeof method !== "function" || verb === "onLeaseWanted") return method;
        return (...values: unknown[]) => {
          // Every other method of a catalog returns a promise.
          const call = (): Promise<unknown> =>
            Reflect.apply(method, inner, values) as Promise<unknown>;
          if (reads.has(verb)) return this.#read(call);
          return this.#write(String(verb), this.#watched(String(verb), values, call));
        };
      },
    });
  }

  /** The process ends: a beginning of what waits is committed, and nobody is told. */
  abandon(): void {
    if (this.#failure !== undefined) return;
    const count = this.#parts.chance.integer(0, this.#queue.length);
    for (const write of this.#queue.slice(0, count)) write.apply().catch(() => undefined);
    this.#queue = [];
  }

  /** A read shows what is committed when it is asked. */
  #read(call: () => Promise<unknown>): Promise<unknown> {
    const result = call();
    return new Promise((resolve) => {
      this.#parts.later(() => {
        resolve(result);
      });
    });
  }

  #write(verb: string, apply: () => Promise<unknown>): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#queue.push({ verb, apply, resolve, reject });
      if (!this.#busy) this.#commitLater();
    });
  }

  #commitLater(): void {
    this.#busy = true;
    this.#parts.later(() => {
      const group = this.#queue.splice(0, this.#parts.chance.integer(1, this.#queue.length));
      const answers = group.map((write) => this.#commit(write));
      this.#parts.later(() => {
        for (const answer of answers) answer();
        this.#busy = false;
        if (this.#queue.length > 0 && this.#failure === undefined) this.#commitLater();
      });
    });
  }

  /** What is returned answers the caller. */
  #commit(write: Write): () => void {
    if (this.#failure !== undefined) return this.#rejecting(write, this.#failure);
    const { chance, watch } = this.#parts;
    const { catalogFull, unknownCommits } = this.#parts.weather();
    const isChange = changes.has(write.verb);
    if (isChange && catalogFull && chance.happens(0.06)) {
      watch.injects("catalog full");
      return this.#rejecting(write, new CatalogFullError());
    }
    if (isChange && unknownCommits && chance.happens(0.03)) {
      watch.injects("commit unknown");
      if (chance.happens(0.5)) write.apply().catch(() => undefined);
      return this.#failing(write);
    }
    const result = write.apply();
    result.catch(() => undefined);
    return () => {
      result.then(write.resolve, write.reject);
    };
  }

  #rejecting(write: Write, error: Error): () => void {
    return () => {
      write.reject(error);
    };
  }

  /** The writer is gone: everything that waits or comes fails, and the process is to end. */
  #failing(write: Write): () => void {
    const failure = new Error("the outcome of a commit is unknown");
    this.#failure = failure;
    return () => {
      for (const each of [write, ...this.#queue]) each.reject(failure);
      this.#queue = [];
      this.#parts.onFailure(failure);
    };
  }

  /** Carries the verb out and tells the watch what came of it. */
  #watched(
    verb: string,
    values: readonly unknown[],
    call: () => Promise<unknown>,
  ): () => Promise<unknown> {
    const { watch } = this.#parts;
    switch (verb) {
      case "takeLease":
        return () => {
          const [id, fence] = values as [string, string]; // By the verb's signature.
          this.#fences.set(id, fence);
          return call();
        };
      case "releaseLease":
        return () => {
          const [id, fence] = values as [string, string]; // By the verb's signature.
          if (this.#fences.get(id) === fence) this.#fences.delete(id);
          return call();
        };
      case "advance":
        return async () => {
          const [advance] = values as [Advance]; // By the verb's signature.
          const fence = this.#fences.get(advance.id);
          const outcome = await call();
          if (outcome === "done") watch.advanced(advance, fence);
          return outcome;
        };
      case "end":
        return async () => {
          const [ending] = values as [EndUpload]; // By the verb's signature.
          const fence = this.#fences.get(ending.id);
          const outcome = await call();
          if (outcome === "done") watch.ended(ending, fence);
          return outcome;
        };
      case "expireUploads":
        return async () => {
          const held = new Set(this.#fences.keys());
          const ids = (await call()) as string[]; // By the verb's signature.
          watch.expired(ids, held);
          return ids;
        };
      default:
        return call;
    }
  }
}
