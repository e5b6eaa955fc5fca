import { createHash, timingSafeEqual, type Hash } from "node:crypto";
import { crc32 } from "../base/crc32.ts";
import { limits } from "../base/limits.ts";

export type DigestAlgorithm = "md5" | "sha1" | "sha256" | "sha512" | "crc32";

/** What the bytes of one request must be. */
export interface ExpectedDigest {
  readonly algorithm: DigestAlgorithm;
  /** Asked once the body has ended, as a trailer may bring it; undefined where none came. */
  readonly expected: () => Uint8Array | undefined;
}

/** The digest of bytes as they pass. */
export class RunningDigest {
  readonly #hash: Hash | undefined;
  #crc32 = 0;

  constructor(algorithm: DigestAlgorithm) {
    this.#hash = algorithm === "crc32" ? undefined : createHash(algorithm);
  }

  update(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (this.#hash === undefined) this.#crc32 = crc32(chunk, this.#crc32);
      else this.#hash.update(chunk);
    }
  }

  /** To be asked once, after the last byte. */
  digest(): Buffer {
    return this.#hash?.digest() ?? crc32Bytes(this.#crc32);
  }
}

/** Runs along with a body, and compares. */
export class BodyDigest {
  readonly #wanted: ExpectedDigest;
  readonly #running: RunningDigest;
  #length = 0;

  constructor(wanted: ExpectedDigest) {
    this.#wanted = wanted;
    this.#running = new RunningDigest(wanted.algorithm);
  }

  get algorithm(): DigestAlgorithm {
    return this.#wanted.algorithm;
  }

  /** Whether more came than may wait for the digest to match. */
  get isTooLong(): boolean {
    return this.#length > limits.unprovenBytesMax;
  }

  update(chunks: readonly Uint8Array[]): void {
    for (const { length } of chunks) this.#length += length;
    this.#running.update(chunks);
  }

  /** To be asked once, after the last byte. */
  matches(): boolean {
    const expected = this.#wanted.expected();
    const digest = this.#running.digest();
    return expected?.length === digest.length && timingSafeEqual(expected, digest);
  }
}

/** Most significant byte first, as both standard protocols have it. */
function crc32Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
