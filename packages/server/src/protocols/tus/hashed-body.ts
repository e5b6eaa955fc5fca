import { createHash } from "node:crypto";
import type { Body, BodyBatch } from "../../base/body.ts";
import { crc32 } from "../../base/crc32.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";

/** A body of which every checksum is known once it has ended. */
export class HashedBody implements Body {
  readonly announcedLength: number | undefined;
  readonly #body: Body;
  readonly #sha1 = createHash("sha1");
  readonly #sha256 = createHash("sha256");
  readonly #md5 = createHash("md5");
  #crc32 = 0;

  constructor(body: Body) {
    this.#body = body;
    this.announcedLength = body.announcedLength;
  }

  get isOver(): boolean {
    return this.#body.isOver;
  }

  async next(): Promise<BodyBatch> {
    const batch = await this.#body.next();
    if (batch.kind === "bytes") this.#update(batch.chunks);
    return batch;
  }

  stop(): void {
    this.#body.stop();
  }

  /** To be asked once, after the end. */
  digests(): Readonly<Record<ChecksumAlgorithm, Buffer>> {
    const crc32 = Buffer.alloc(4);
    crc32.writeUInt32BE(this.#crc32);
    return {
      sha1: this.#sha1.digest(),
      sha256: this.#sha256.digest(),
      md5: this.#md5.digest(),
      crc32,
    };
  }

  #update(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      this.#sha1.update(chunk);
      this.#sha256.update(chunk);
      this.#md5.update(chunk);
      this.#crc32 = crc32(chunk, this.#crc32);
    }
  }
}
