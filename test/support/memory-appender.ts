import { setImmediate as turn } from "node:timers/promises";
import type {
  Appender,
  AppenderRequest,
  Checkpoint,
  CheckpointScope,
  StoredExtent,
} from "../../packages/server/src/blobs/blob-store.ts";

export interface MemoryAppenderParts {
  readonly request: AppenderRequest;
  readonly partBytes: number;
  readonly mergeAt: number;
  /** Puts bytes that begin at `start` within the blob. */
  readonly put: (run: MemoryRun, bytes: Buffer) => StoredExtent;
  readonly bytesOf: (extent: StoredExtent) => Buffer;
}

export interface MemoryRun {
  readonly start: number;
  readonly isUnproven: boolean;
}

interface Made {
  readonly extent: StoredExtent;
  readonly replaced: readonly StoredExtent[];
}

/** Puts whole parts as they fill, and at a checkpoint of everything what is left of one. */
export class MemoryAppender implements Appender {
  readonly #parts: MemoryAppenderParts;
  #position: number;
  #waiting: Buffer[] = [];
  /** What is put and not yet reported. */
  #made: Made[] = [];
  #known: StoredExtent[];
  #durableTo: number;
  #failure: Error | undefined;
  /** One put after the other, in the order of the bytes. */
  #puts: Promise<void> = Promise.resolve();

  constructor(parts: MemoryAppenderParts) {
    this.#parts = parts;
    this.#position = parts.request.offset;
    this.#durableTo = parts.request.offset;
    this.#known = [...parts.request.extents];
  }

  get position(): number {
    return this.#position;
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#waiting.push(Buffer.from(chunk));
      this.#position += chunk.length;
    }
    const waiting = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    if (waiting >= this.#parts.partBytes) this.#putWaiting("part");
    return Promise.resolve();
  }

  async checkpoint(what: CheckpointScope): Promise<Checkpoint> {
    if (what === "everything" && this.#waiting.length > 0) this.#putWaiting("tail");
    await this.#puts;
    if (this.#made.length === 0 && this.#failure !== undefined) throw this.#failure;
    const made = this.#made;
    this.#made = [];
    return {
      to: this.#durableTo,
      extents: made.map(({ extent }) => extent),
      replaced: made.flatMap(({ replaced }) => replaced),
      syncMs: 0,
    };
  }

  async close(): Promise<void> {
    await this.#puts;
  }

  #putWaiting(kind: "part" | "tail"): void {
    const bytes = Buffer.concat(this.#waiting);
    const start = this.#position - bytes.length;
    const run = { start, isUnproven: this.#parts.request.isUnproven?.() ?? false };
    this.#waiting = [];
    this.#puts = this.#puts.then(async () => {
      await turn();
      if (this.#failure !== undefined) return;
      try {
        this.#put(kind, run, bytes);
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      }
    });
  }

  #put(kind: "part" | "tail", run: MemoryRun, bytes: Buffer): void {
    const replaced = kind === "tail" ? this.#smallOnesAtEnd() : [];
    const first = { ...run, start: replaced[0]?.start ?? run.start };
    const pieces = [...replaced.map((extent) => this.#parts.bytesOf(extent)), bytes];
    const extent = this.#parts.put(first, Buffer.concat(pieces));
    this.#made.push({ extent, replaced });
    this.#known = [...this.#known.filter((known) => !replaced.includes(known)), extent];
    this.#durableTo = run.start + bytes.length;
  }

  /** Enough of them to be made one with what comes; none otherwise. */
  #smallOnesAtEnd(): StoredExtent[] {
    // What is not reported yet cannot be replaced: nobody has committed it.
    if (this.#made.length > 0) return [];
    const isLarge = ({ length }: StoredExtent): boolean => length >= this.#parts.partBytes;
    const small = this.#known.slice(this.#known.findLastIndex(isLarge) + 1);
    return small.length + 1 >= this.#parts.mergeAt ? small : [];
  }
}
