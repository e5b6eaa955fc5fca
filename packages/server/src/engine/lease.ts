import type { Body } from "../base/body.ts";
import type { Clock } from "../base/clock.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Upload } from "../catalog/records.ts";

/** The right to write one upload, politely asked for, enforced by its fence at every commit. */
export interface Lease {
  readonly fence: string;
  /** When it was taken: what orders the epochs of an upload that begin at the same offset. */
  readonly takenAt: number;
  /** The upload as it stood when the lease was taken. */
  readonly upload: Upload;
  readonly yielding: Yielding;
  release(): Promise<void>;
}

/** Somebody else wants to write: make durable what is there, and release. */
export interface Yielding {
  readonly isAsked: boolean;
  /** Calls `yieldNow` once that is so, at once if it is already. There is one listener. */
  onAsked(yieldNow: () => void): void;
  /** What the holder writes: once nothing more comes, it is going to let go by itself. */
  reads(body: Pick<Body, "isOver">): void;
}

/** Thousands may hold a lease for long, and few are ever waited for: what waiting takes comes late. */
class Holder implements Yielding {
  #isAsked = false;
  #yieldNow: (() => void) | undefined;
  #released: PromiseWithResolvers<undefined> | undefined;
  #body: Pick<Body, "isOver"> | undefined;

  get isEnding(): boolean {
    return this.#body?.isOver === true;
  }

  get isAsked(): boolean {
    return this.#isAsked;
  }

  onAsked(yieldNow: () => void): void {
    this.#yieldNow = yieldNow;
    if (this.#isAsked) yieldNow();
  }

  reads(body: Pick<Body, "isOver">): void {
    this.#body = body;
  }

  askToYield(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#yieldNow?.();
  }

  /** Resolves once the holder has let go. */
  released(): Promise<undefined> {
    this.#released ??= Promise.withResolvers();
    return this.#released.promise;
  }

  letGo(): void {
    this.#released?.resolve(undefined);
  }
}

export interface LeasesParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Who may write now. A newcomer asks the holder to let go and waits for it, because a write that
 * is already on its way to the disk cannot be called back. Holders in this process are known here;
 * those in others are the catalog's to ask.
 */
export class Leases {
  readonly #parts: LeasesParts;
  readonly #holders = new Map<string, Holder>();

  constructor(parts: LeasesParts) {
    this.#parts = parts;
    parts.catalog.onLeaseWanted((id) => {
      this.#holders.get(id)?.askToYield();
    });
  }

  /** Fails with `node_unknown` when there is no such upload, `upload_busy` when nobody lets go. */
  async take(id: string): Promise<Lease> {
    const deadline = this.#parts.clock.monotonic() + limits.yieldMsMax;
    // Nothing is awaited between the last look and the entry: of several newcomers one comes next.
    for (let holder = this.#holders.get(id); holder; holder = this.#holders.get(id)) {
      await this.#waitFor(holder, deadline);
    }
    const holder = new Holder();
    this.#holders.set(id, holder);
    const fence = this.#parts.random.bytes(16).toString("hex");
    const release = async (): Promise<void> => {
      this.#letGo(id, holder);
      await this.#parts.catalog.releaseLease(id, fence);
    };
    try {
      const upload = await this.#parts.catalog.takeLease(id, fence);
      if (upload === undefined) throw uploadError("node_unknown", { node: id });
      return { fence, upload, takenAt: this.#parts.clock.now(), yielding: holder, release };
    } catch (error) {
      this.#letGo(id, holder);
      throw error;
    }
  }

  #letGo(id: string, holder: Holder): void {
    if (this.#holders.get(id) === holder) this.#holders.delete(id);
    holder.letGo();
  }

  /** Whether somebody is writing this upload now. */
  isHeld(id: string): boolean {
    return this.#holders.has(id);
  }

  /** Waits a moment for a holder here whose sender has ended or is gone. Nobody is asked for it. */
  async awaitEnding(id: string): Promise<void> {
    const holder = this.#holders.get(id);
    if (holder?.isEnding === true) await this.#released(holder, limits.endingMsMax);
  }

  async #waitFor(holder: Holder, deadline: number): Promise<void> {
    const leftMs = deadline - this.#parts.clock.monotonic();
    if (leftMs <= 0) throw uploadError("upload_busy", { retryAfterSeconds: 1 });
    holder.askToYield();
    await this.#released(holder, leftMs);
  }

  async #released(holder: Holder, mostMs: number): Promise<void> {
    const timeout = Promise.withResolvers<undefined>();
    const cancel = this.#parts.clock.after(mostMs, () => {
      timeout.resolve(undefined);
    });
    await Promise.race([holder.released(), timeout.promise]);
    cancel();
  }
}
