import type { Body, BodyBatch, BodyEnding } from "../../../packages/server/src/base/body.ts";
import type { Clock } from "../../../packages/server/src/base/clock.ts";
import type { Chance } from "./chance.ts";

export interface SimulatedBodyParts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly announcedLength: number | undefined;
  readonly batches: readonly { readonly bytes: Uint8Array; readonly gapMs: number }[];
  /** How it ends when nobody stops it, and how long after its last batch. */
  readonly ending: BodyEnding;
  readonly endingGapMs: number;
}

/** A request's body whose bytes come at times of their own. */
export class SimulatedBody implements Body {
  readonly announcedLength: number | undefined;
  readonly #parts: SimulatedBodyParts;
  #given: Uint8Array | undefined;
  #index = 0;
  #stopped = false;
  #endWait: (() => void) | undefined;
  #deliveredBytes = 0;
  #ending: BodyEnding | undefined;

  constructor(parts: SimulatedBodyParts) {
    this.#parts = parts;
    this.announcedLength = parts.announcedLength;
  }

  /** What the program was given. */
  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  /** How it ended; undefined while it has not. */
  get ending(): BodyEnding | undefined {
    return this.#ending;
  }

  get isOver(): boolean {
    return this.#ending !== undefined;
  }

  async next(): Promise<BodyBatch> {
    // Whoever still writes from the batch before writes something else.
    this.#given?.fill(0xee);
    const batch = this.#parts.batches[this.#index];
    await this.#wait(batch?.gapMs ?? this.#parts.endingGapMs);
    // What had been gathered when it was stopped is still given.
    if (this.#stopped && (batch === undefined || this.#parts.chance.happens(0.7))) {
      return this.#end("stopped");
    }
    if (batch === undefined) return this.#end(this.#parts.ending);
    this.#index += 1;
    this.#deliveredBytes += batch.bytes.length;
    const cut = this.#parts.chance.integer(0, batch.bytes.length);
    const given = Uint8Array.from(batch.bytes);
    this.#given = given;
    const chunks = [given.subarray(0, cut), given.subarray(cut)];
    const waitedMs = this.#parts.chance.integer(0, 20_000);
    return { kind: "bytes", chunks, length: given.length, waitedMs };
  }

  stop(): void {
    this.#stopped = true;
    this.#endWait?.();
  }

  #end(ending: BodyEnding): BodyBatch {
    this.#ending = ending;
    return { kind: "end", ending };
  }

  async #wait(ms: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(ms, resolve);
      this.#endWait = () => {
        cancel();
        resolve();
      };
    });
    this.#endWait = undefined;
  }
}
