import { crc32 } from "../../base/crc32.ts";

/**
 * The memory of one part. It is never used for another part: a late socket of a try that was given
 * up must never send bytes that are not this part's.
 */
export class S3Part {
  /** Where the part begins within the blob. */
  readonly start: number;
  readonly lengthMax: number;
  /**
   * Room is reserved for the whole part, and memory is taken as it grows: growing copies nothing, and
   * what is given back goes to the system. The allocator of C keeps holes between parts instead,
   * which came to a third of the process.
   */
  #buffer: ArrayBuffer;
  #memory: Buffer;
  #length = 0;
  #crc32 = 0;

  constructor(start: number, lengthMax: number) {
    this.start = start;
    this.lengthMax = lengthMax;
    this.#buffer = new ArrayBuffer(0, { maxByteLength: lengthMax });
    this.#memory = Buffer.from(this.#buffer);
  }

  get length(): number {
    return this.#length;
  }

  get crc32(): number {
    return this.#crc32;
  }

  get memoryBytes(): number {
    return this.#memory.length;
  }

  get isFull(): boolean {
    return this.#length === this.lengthMax;
  }

  /** Whether more can be added without more memory. */
  get hasRoom(): boolean {
    return this.#length < this.#memory.length;
  }

  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  /** Takes so much memory in all. */
  grow(memoryBytes: number): void {
    this.#buffer.resize(memoryBytes);
    this.#memory = Buffer.from(this.#buffer);
  }

  /** Copies what there is room for, and says how much that was. */
  add(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#memory.length - this.#length);
    const taken = bytes.subarray(0, count);
    this.#memory.set(taken, this.#length);
    this.#crc32 = crc32(taken, this.#crc32);
    this.#length += count;
    return count;
  }

  /** Gives the memory back at once, which only a part whose bytes all arrived may do. */
  free(): void {
    if (!this.#buffer.detached) this.#buffer.transferToFixedLength(0);
    this.forget();
  }

  /** Leaves the memory to the garbage collector. */
  forget(): void {
    this.#buffer = new ArrayBuffer(0);
    this.#memory = Buffer.from(this.#buffer);
  }
}
