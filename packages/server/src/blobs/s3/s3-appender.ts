import type { Clock } from "../../base/clock.ts";
import { crc32OfRuns } from "../../base/crc32.ts";
import { uploadError } from "../../base/errors.ts";
import { Gate } from "../../base/gate.ts";
import { limits } from "../../base/limits.ts";
import type {
  Appender,
  Checkpoint,
  CheckpointScope,
  ByteRange,
  StoredExtent,
} from "../blob-store.ts";
import { Operations } from "../operations.ts";
import type { Filling, MemoryBudget } from "./memory-budget.ts";
import { storageError } from "./s3-error.ts";
import type { KeyedRun } from "./s3-keys.ts";
import { mergeCount, partBytesAt } from "./s3-merging.ts";
import type { PutRequest } from "./s3-objects.ts";
import { S3Part } from "./s3-part.ts";

export interface S3AppenderParts {
  readonly put: (request: PutRequest) => Promise<{ readonly attempts: number }>;
  readonly read: (key: string, range: ByteRange, signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly keyOf: (run: KeyedRun) => string;
  /** Whether what is written is still to be shown to be what was meant. */
  readonly isUnproven: () => boolean;
  /** Of all appenders' parts. */
  readonly memory: MemoryBudget;
  /** Of all appenders' merges: apart, so that a merge never waits for a part that waits for it. */
  readonly mergeMemory: MemoryBudget;
  /** Of all appenders. */
  readonly puts: Gate;
  readonly firstPartBytes: number;
  readonly clock: Clock;
  readonly extents: readonly StoredExtent[];
  readonly offset: number;
}

/** A part that was sent off, in the order of the blob. */
interface Job {
  readonly extent: StoredExtent;
  readonly replaced: readonly StoredExtent[];
  readonly done: Promise<void>;
}

/**
 * Puts one immutable object a part, several at a time, and reports them strictly in order. The
 * first failure is final: parts behind it may be stored, but are never reported.
 */
export class S3Appender implements Appender, Filling {
  readonly #parts: S3AppenderParts;
  readonly #slots = new Gate(limits.s3PartsInFlight);
  readonly #abort = new AbortController();
  #filling: S3Part | undefined;
  #position: number;
  /** The extents at the blob's end that are shorter than a part; the last of them may be on their way. */
  #short: StoredExtent[];
  /** Sent off and not yet in `#report`. */
  #jobs: Job[] = [];
  #unsettled = 0;
  #settled = Promise.withResolvers<undefined>();
  #failure: Error | undefined;
  #durableTo: number;
  /** Durable, and not yet told. */
  #untold: StoredExtent[] = [];
  #untoldReplaced: StoredExtent[] = [];
  #hadFullPart = false;
  /** The last key is of bytes that were not proven then: once they are, one has to tell so. */
  #owesProof = false;
  readonly #operations = new Operations();

  constructor(parts: S3AppenderParts) {
    this.#parts = parts;
    this.#position = parts.offset;
    this.#durableTo = parts.offset;
    this.#short = shortEnd(parts.extents, partBytesAt(parts.offset, parts.firstPartBytes));
  }

  get position(): number {
    return this.#position;
  }

  get heldBytes(): number {
    const filling = this.#filling;
    return filling === undefined || filling.length === 0 ? 0 : filling.memoryBytes;
  }

  cut(): void {
    this.#sendOff("object");
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#operations.track(this.#write(chunks));
  }

  checkpoint(scope: CheckpointScope): Promise<Checkpoint> {
    if (scope === "everything") this.#sendOff("smallest");
    return this.#operations.track(this.#checkpoint([...this.#jobs]));
  }

  async close(): Promise<void> {
    const cancel = this.#parts.clock.after(limits.s3CloseMsMax, () => {
      this.#abort.abort();
    });
    await this.#operations.ended;
    // Nobody will ask for what was not asked for yet.
    this.#failure ??= uploadError("storage_failed", { offset: undefined });
    this.#dropFilling();
    await Promise.allSettled(this.#jobs.map(({ done }) => done));
    cancel();
  }

  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let rest = chunk; rest.length > 0;) {
        const part = await this.#partWithRoom();
        // Between the promise and this line somebody else may have cut it.
        if (part !== this.#filling) continue;
        const count = part.add(rest);
        this.#position += count;
        rest = rest.subarray(count);
        // It may be the last one, whose key is to tell that all was proven.
        if (part.isFull && !this.#parts.isUnproven()) this.#sendOff("object");
      }
    }
    this.#refuseAfterFailure();
  }

  #refuseAfterFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The part being filled. It may have been cut while this waited, so it is looked at anew. */
  async #partWithRoom(): Promise<S3Part> {
    for (;;) {
      this.#refuseAfterFailure();
      if (this.#filling?.isFull === true) this.#sendOff("object");
      const part = this.#filling;
      if (part?.hasRoom === true) return part;
      if (part === undefined && this.#unsettled > limits.s3PartsInFlight) {
        await this.#settled.promise;
        continue;
      }
      const wanted = part ?? this.#newPart();
      const memoryBytes = this.#nextMemoryBytes(wanted);
      const added = memoryBytes - wanted.memoryBytes;
      await this.#parts.memory.take(added);
      if (this.#filling !== part) {
        this.#parts.memory.give(added);
        continue;
      }
      wanted.grow(memoryBytes);
      this.#filling = wanted;
      this.#parts.memory.add(this);
    }
  }

  /** With the short extents before it, the part makes a whole one. */
  #newPart(): S3Part {
    const whole = partBytesAt(this.#position, this.#parts.firstPartBytes);
    return new S3Part(this.#position, Math.max(1, whole - lengthOf(this.#short)));
  }

  #nextMemoryBytes(part: S3Part): number {
    // Who filled one part is likely to fill the next, too.
    if (part.memoryBytes === 0 && this.#hadFullPart && this.#parts.memory.isRoomy) {
      return part.lengthMax;
    }
    return Math.min(part.lengthMax, Math.max(limits.s3PartMemoryMin, 2 * part.memoryBytes));
  }

  /** Ends the part being filled. The smallest form of a few bytes is not an object at all. */
  #sendOff(form: "object" | "smallest"): void {
    const part = this.#filling;
    if (part === undefined || part.length === 0) return;
    this.#filling = undefined;
    this.#hadFullPart ||= part.isFull;
    this.#parts.memory.delete(this);
    const isUnproven = this.#parts.isUnproven();
    const whole = partBytesAt(part.start, this.#parts.firstPartBytes);
    const count = mergeCount({
      short: this.#short.map(({ length }) => length),
      length: part.length,
      partBytes: whole,
    });
    const replaced = count === 0 ? [] : this.#short.splice(-count);
    const run = {
      start: replaced[0]?.start ?? part.start,
      length: lengthOf(replaced) + part.length,
      crc32: crc32OfRuns([...replaced, part]),
    };
    const isInline =
      form === "smallest" &&
      (isUnproven || !this.#owesProof) &&
      run.length <= limits.inlineBytesMax &&
      replaced.every(({ inline }) => inline !== undefined);
    const extent: StoredExtent = isInline
      ? { ...run, key: "", inline: inlineBytes(replaced, part) }
      : { ...run, key: this.#parts.keyOf({ ...run, isUnproven }), inline: undefined };
    if (!isInline) this.#owesProof = isUnproven;
    if (run.length < whole) this.#short.push(extent);
    this.#begin({ extent, replaced }, part);
  }

  #begin(planned: Omit<Job, "done">, part: S3Part): void {
    this.#unsettled += 1;
    const before = this.#jobs;
    const done = this.#store(planned, part, before).catch((error: unknown) => {
      this.#failure ??= storageError(error);
      throw this.#failure;
    });
    // It is met again at the next checkpoint; until then nobody waits for it.
    done.catch(() => undefined);
    this.#jobs = [...before, { ...planned, done }];
  }

  async #store(
    { extent, replaced }: Omit<Job, "done">,
    part: S3Part,
    before: readonly Job[],
  ): Promise<void> {
    let memoryBytes = part.memoryBytes;
    const giveBack = (): void => {
      this.#parts.memory.give(memoryBytes);
      memoryBytes = 0;
    };
    try {
      if (extent.inline !== undefined) return;
      await this.#slots.run(async () => {
        this.#refuseAfterFailure();
        if (replaced.length === 0) {
          await this.#put(extent, part.bytes, () => {
            part.free();
          });
          return;
        }
        // What is read again must be there; parts before this one never wait for it.
        for (const job of before) if (replaced.includes(job.extent)) await job.done;
        await this.#merge(extent, replaced, part);
      });
    } finally {
      part.forget();
      giveBack();
      this.#unsettled -= 1;
      this.#settled.resolve(undefined);
      this.#settled = Promise.withResolvers();
    }
  }

  async #merge(
    extent: StoredExtent,
    replaced: readonly StoredExtent[],
    part: S3Part,
  ): Promise<void> {
    await this.#parts.mergeMemory.take(extent.length);
    try {
      const sources = { extent, replaced, part };
      // That bytes are damaged is a verdict for good, so they are read a second time for it.
      const body = (await this.#join(sources)) ?? (await this.#join(sources));
      if (body === undefined) throw damagedFrom(extent.start);
      await this.#put(extent, body.bytes, () => {
        body.free();
      });
    } finally {
      this.#parts.mergeMemory.give(extent.length);
    }
  }

  /** Undefined when what was read is not what was stored. */
  async #join({
    extent,
    replaced,
    part,
  }: Omit<Job, "done"> & { readonly part: S3Part }): Promise<S3Part | undefined> {
    const body = new S3Part(extent.start, extent.length);
    body.grow(extent.length);
    for (const { key, length, inline } of replaced) {
      const chunks =
        inline === undefined
          ? this.#parts.read(key, { from: 0, to: length }, this.#abort.signal)
          : [inline];
      for await (const chunk of chunks) body.add(chunk);
    }
    body.add(part.bytes);
    if (body.crc32 === extent.crc32 && body.isFull) return body;
    body.free();
    return undefined;
  }

  async #put(extent: StoredExtent, body: Uint8Array, free: () => void): Promise<void> {
    const { key, crc32: sum } = extent;
    const { attempts } = await this.#parts.puts.run(() =>
      this.#parts.put({ key, body, crc32: sum, signal: this.#abort.signal }),
    );
    // After a single try that succeeded no socket has anything of it left to send.
    if (attempts === 1) free();
  }

  async #checkpoint(jobs: readonly Job[]): Promise<Checkpoint> {
    const begun = this.#parts.clock.monotonic();
    let failure: unknown;
    for (const job of jobs) {
      try {
        await job.done;
      } catch (error) {
        failure = error;
        break;
      }
      this.#report(job);
    }
    if (failure !== undefined && this.#untold.length === 0) throw storageError(failure);
    const told = { extents: this.#untold, replaced: this.#untoldReplaced };
    this.#untold = [];
    this.#untoldReplaced = [];
    const syncMs = this.#parts.clock.monotonic() - begun;
    return { to: this.#durableTo, ...told, syncMs };
  }

  #report(job: Job): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    const { extent, replaced } = job;
    // What was never told need not be taken back.
    this.#untoldReplaced.push(...replaced.filter((old) => !this.#untold.includes(old)));
    this.#untold = [...this.#untold.filter((old) => !replaced.includes(old)), extent];
    this.#durableTo = extent.start + extent.length;
  }

  #dropFilling(): void {
    const part = this.#filling;
    if (part === undefined) return;
    this.#filling = undefined;
    this.#parts.memory.delete(this);
    const { memoryBytes } = part;
    part.free();
    this.#parts.memory.give(memoryBytes);
  }
}

/** The extents at the end that are short, as far as they make less than one part together. */
function shortEnd(extents: readonly StoredExtent[], partBytes: number): StoredExtent[] {
  let length = 0;
  const first = extents.findLastIndex((extent) => {
    length += extent.length;
    return length >= partBytes;
  });
  return extents.slice(first + 1);
}

function lengthOf(extents: readonly StoredExtent[]): number {
  return extents.reduce((sum, { length }) => sum + length, 0);
}

function inlineBytes(replaced: readonly StoredExtent[], part: S3Part): Uint8Array {
  const before = replaced.map(({ inline }) => inline ?? Buffer.alloc(0));
  return Buffer.concat([...before, part.bytes]);
}

function damagedFrom(offset: number): Error {
  return uploadError("upload_damaged", { offset });
}
