import type { Clock } from "../base/clock.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Upload } from "../catalog/records.ts";

/** The right to write one upload, politely asked for, enforced by its fence at every commit. */
export interface Lease {
  readonly fence: string;
  /** The upload as it stood when the lease was taken. */
  readonly upload: Upload;
  /** Aborts when somebody else wants to write: make durable what is there, and release. */
  readonly yieldSignal: AbortSignal;
  release(): Promise<void>;
}

interface Holder {
  readonly askToYield: () => void;
  readonly released: Promise<void>;
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
    const yielding = new AbortController();
    const released = Promise.withResolvers<undefined>();
    const holder: Holder = {
      askToYield: () => {
        yielding.abort();
      },
      released: released.promise,
    };
    this.#holders.set(id, holder);
    const letGo = (): void => {
      if (this.#holders.get(id) === holder) this.#holders.delete(id);
      released.resolve(undefined);
    };
    const fence = this.#parts.random.bytes(16).toString("hex");
    try {
      const upload = await this.#parts.catalog.takeLease(id, fence);
      if (upload === undefined) throw uploadError("node_unknown", { node: id });
      const release = async (): Promise<void> => {
        letGo();
        await this.#parts.catalog.releaseLease(id, fence);
      };
      return { fence, upload, yieldSignal: yielding.signal, release };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  /** Whether somebody is writing this upload now. */
  isHeld(id: string): boolean {
    return this.#holders.has(id);
  }

  async #waitFor(holder: Holder, deadline: number): Promise<void> {
    const leftMs = deadline - this.#parts.clock.monotonic();
    if (leftMs <= 0) throw uploadError("upload_busy", { retryAfterSeconds: 1 });
    holder.askToYield();
    const timeout = Promise.withResolvers<undefined>();
    const cancel = this.#parts.clock.after(leftMs, () => {
      timeout.resolve(undefined);
    });
    await Promise.race([holder.released, timeout.promise]);
    cancel();
  }
}
