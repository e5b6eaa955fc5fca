/** A shuffle of 32 bits in which every input bit moves about half of the output bits. */
function mix(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}

/** Repeatable chance: the same seed gives the same sequence on every machine. Not for secrets. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = mix(seed);
  }

  /** The next 32 bits, as an unsigned integer. */
  word(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mix(this.#state);
  }

  /** A number in [0, 1). */
  fraction(): number {
    return this.word() / 2 ** 32;
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.integer(0, items.length - 1)];
    if (item === undefined) throw new RangeError("cannot pick from an empty list");
    return item;
  }

  bytes(length: number): Buffer {
    return patternBytes({ seed: this.word(), length });
  }
}

export interface Pattern {
  readonly seed: number;
  /** Position of the first byte wanted; 0 when left out. */
  readonly start?: number;
  /** How many bytes are wanted. */
  readonly length: number;
}

/** Four bytes of the pattern: a function of the seed and of where they stand, and nothing else. */
function patternWord(key: number, index: number): number {
  const high = Math.floor(index / 2 ** 32);
  return mix(mix(key ^ (index >>> 0)) + Math.imul(high, 0x9e3779b1));
}

/**
 * Bytes in which each one depends on the seed and on its position, so that bytes that are lost,
 * repeated, shifted or taken from another upload cannot go unnoticed.
 */
export function patternBytes({ seed, start = 0, length }: Pattern): Buffer {
  const key = mix(seed);
  const firstWord = Math.floor(start / 4);
  const lead = start - firstWord * 4;
  const words = Math.ceil((lead + length) / 4);
  const buffer = Buffer.allocUnsafeSlow(words * 4);
  for (let word = 0; word < words; word += 1) {
    buffer.writeUInt32LE(patternWord(key, firstWord + word), word * 4);
  }
  return buffer.subarray(lead, lead + length);
}

/** The same bytes in chunks of at most `chunkLength`, for uploads that must not sit in memory. */
export function* patternChunks(pattern: Pattern, chunkLength = 256 * 1024): Generator<Buffer> {
  const start = pattern.start ?? 0;
  const end = start + pattern.length;
  for (let position = start; position < end; position += chunkLength) {
    const length = Math.min(chunkLength, end - position);
    yield patternBytes({ seed: pattern.seed, start: position, length });
  }
}

/** Position of the first byte that is not the pattern's, or undefined when all of them are. */
export function firstStrangeByte(
  bytes: Uint8Array,
  { seed, start = 0 }: Omit<Pattern, "length">,
): number | undefined {
  const expected = patternBytes({ seed, start, length: bytes.length });
  if (expected.equals(bytes)) return undefined;
  return start + expected.findIndex((byte, index) => byte !== bytes[index]);
}
