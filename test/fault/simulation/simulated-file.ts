import type { Chance } from "./chance.ts";

/** Small, so that a short upload has many blocks and most of its writes end inside one. */
const blockBytes = 512;

interface DirtyBlock {
  /** Grows with every write of the file. */
  version: number;
  /** What the block held since it was last durable, the present content left out. */
  older: { version: number; bytes: Buffer }[];
}

/** What a sync found when it began. */
export interface SyncedState {
  readonly blocks: readonly { index: number; version: number; bytes: Buffer }[];
  readonly length: number;
  readonly lengthVersion: number;
}

/**
 * One file's bytes twice: as every reader sees them now, and as the platter has them. Between two
 * syncs each block and the length reach the platter or not, in any order, possibly torn.
 */
export class SimulatedFile {
  #content = Buffer.alloc(0);
  #length = 0;
  #durableContent = Buffer.alloc(0);
  #durableLength = 0;
  #version = 0;
  #lengthVersion = 0;
  readonly #dirty = new Map<number, DirtyBlock>();
  /** Lengths since the durable one, the present one included. */
  #lengths: { version: number; length: number }[] = [];

  get length(): number {
    return this.#length;
  }

  /** The bytes as a reader sees them. */
  content(from: number, to: number): Buffer {
    return this.#content.subarray(from, Math.min(to, this.#length));
  }

  /** The bytes that a power cut at this moment could not take away. */
  durable(length: number): Buffer {
    const leastLength = Math.min(
      this.#durableLength,
      ...this.#lengths.map((change) => change.length),
    );
    return this.#durableContent.subarray(0, Math.min(length, leastLength));
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    this.#makeRoom(end);
    this.#soil(position, end);
    this.#content.set(bytes, position);
    if (end > this.#length) this.#setLength(end);
  }

  truncate(length: number): void {
    this.#makeRoom(length);
    if (length < this.#length) {
      this.#soil(length, this.#length);
      this.#content.fill(0, length, this.#length);
    }
    if (length !== this.#length) this.#setLength(length);
  }

  beginSync(): SyncedState {
    const blocks = [...this.#dirty].map(([index, { version }]) => ({
      index,
      version,
      bytes: Buffer.from(this.#block(this.#content, index)),
    }));
    return { blocks, length: this.#length, lengthVersion: this.#lengthVersion };
  }

  endSync(state: SyncedState): void {
    for (const { index, version, bytes } of state.blocks) {
      this.#block(this.#durableContent, index).set(bytes);
      this.#clean(index, version);
    }
    this.#durableLength = state.length;
    this.#lengths = this.#lengths.filter(({ version }) => version > state.lengthVersion);
  }

  /**
   * As Linux does when a sync fails: what it was to write counts as clean, written or not, and no
   * later sync tries again. Some file systems show the old bytes afterwards, some the new ones.
   */
  failSync(state: SyncedState, chance: Chance): void {
    const showsOldBytes = chance.happens(0.5);
    for (const { index, version, bytes } of state.blocks) {
      if (chance.happens(0.3)) this.#block(this.#durableContent, index).set(bytes);
      if (!this.#clean(index, version) || !showsOldBytes) continue;
      this.#block(this.#content, index).set(this.#block(this.#durableContent, index));
    }
    if (chance.happens(0.5)) this.#durableLength = state.length;
    this.#lengths = this.#lengths.filter(({ version }) => version > state.lengthVersion);
  }

  /** The power goes: of every change since the last sync some state reached the platter. */
  losePower(chance: Chance): void {
    const lengths = [this.#durableLength, ...this.#lengths.map((change) => change.length)];
    for (const [index, { older }] of this.#dirty) {
      const durable = this.#block(this.#durableContent, index);
      const now = this.#block(this.#content, index);
      const reached = chance.pick([durable, ...older.map(({ bytes }) => bytes), now, now]);
      // A torn block: the head is new and the tail is not.
      const torn = chance.happens(0.1) ? chance.integer(1, blockBytes - 1) : blockBytes;
      durable.set(reached.subarray(0, torn));
    }
    this.#durableLength = chance.pick(lengths);
    this.#forgetChanges();
    this.#length = this.#durableLength;
    this.#durableContent.fill(chance.pick([0, 0xdb]), this.#length);
    this.#content = Buffer.from(this.#durableContent);
  }

  /** Cuts the file off for good, as a person or a broken disk would. */
  loseEnd(length: number): void {
    this.#length = Math.min(this.#length, length);
    this.#durableLength = Math.min(this.#durableLength, length);
    this.#forgetChanges();
  }

  #forgetChanges(): void {
    this.#dirty.clear();
    this.#lengths = [];
  }

  #makeRoom(end: number): void {
    if (end <= this.#content.length) return;
    const blocks = Math.ceil((end * 1.5) / blockBytes);
    const [content, durable] = [
      Buffer.alloc(blocks * blockBytes),
      Buffer.alloc(blocks * blockBytes),
    ];
    this.#content.copy(content);
    this.#durableContent.copy(durable);
    this.#content = content;
    this.#durableContent = durable;
  }

  /** Marks the blocks of a range as changed and keeps what they hold now. */
  #soil(from: number, to: number): void {
    this.#version += 1;
    for (let index = Math.floor(from / blockBytes); index * blockBytes < to; index += 1) {
      const dirty = this.#dirty.get(index);
      if (dirty === undefined) {
        this.#dirty.set(index, { version: this.#version, older: [] });
        continue;
      }
      const bytes = Buffer.from(this.#block(this.#content, index));
      dirty.older.push({ version: dirty.version, bytes });
      dirty.version = this.#version;
    }
  }

  #setLength(length: number): void {
    this.#length = length;
    this.#lengthVersion += 1;
    this.#lengths.push({ version: this.#lengthVersion, length });
  }

  /** Whether the block had not been written again since that version. */
  #clean(index: number, version: number): boolean {
    const dirty = this.#dirty.get(index);
    if (dirty === undefined) return true;
    dirty.older = dirty.older.filter((past) => past.version > version);
    if (dirty.version > version) return false;
    this.#dirty.delete(index);
    return true;
  }

  #block(content: Buffer, index: number): Buffer {
    return content.subarray(index * blockBytes, (index + 1) * blockBytes);
  }
}
