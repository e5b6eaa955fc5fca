import type { Body, BodyBatch } from "../../base/body.ts";
import { RunningDigest } from "../../engine/body-digest.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";

/** A body of which every checksum is known once it has ended. */
export class HashedBody implements Body {
  readonly announcedLength: number | undefined;
  readonly #body: Body;
  readonly #digests: Readonly<Record<ChecksumAlgorithm, RunningDigest>> = {
    sha1: new RunningDigest("sha1"),
    sha256: new RunningDigest("sha256"),
    md5: new RunningDigest("md5"),
    crc32: new RunningDigest("crc32"),
  };

  constructor(body: Body) {
    this.#body = body;
    this.announcedLength = body.announcedLength;
  }

  get isOver(): boolean {
    return this.#body.isOver;
  }

  async next(): Promise<BodyBatch> {
    const batch = await this.#body.next();
    if (batch.kind === "bytes") {
      for (const digest of Object.values(this.#digests)) digest.update(batch.chunks);
    }
    return batch;
  }

  stop(): void {
    this.#body.stop();
  }

  /** To be asked once, after the end. */
  digests(): Readonly<Record<ChecksumAlgorithm, Buffer>> {
    const { sha1, sha256, md5, crc32 } = this.#digests;
    return {
      sha1: sha1.digest(),
      sha256: sha256.digest(),
      md5: md5.digest(),
      crc32: crc32.digest(),
    };
  }
}
