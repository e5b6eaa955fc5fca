import { crc32 } from "../../base/crc32.ts";

/**
 * The memory of one part. It is never used for another part: a late socket of a try that was given
 * up must never send bytes that are not this part's.
 */
export class S3Part {
  /** Where the part begins within the blob. */
  readonly start: number;
  readonly lengthMax: number;
  #memory: Buffer = Buffer.alloc(0);
  #length = 0;
  #crc32 = 0;

  constructor(start: number, lengthMax: number) {
    this.start = start;
    this.lengthMax = lengthMax;
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

  /** Moves to memory of its own of that size. */
  grow(memoryBytes: number): void {
    const memory = Buffer.allocUnsafeSlow(memoryBytes);
    this.#memory.copy(memory, 0, 0, this.#length);
    this.#memory = memory;
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
    const { buffer } = this.#memory;
    this.#memory = Buffer.alloc(0);
    if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
  }

  /** Leaves the memory to the garbage collector. */
  forget(): void {
    this.#memory = Buffer.alloc(0);
  }
}
