import { crc32OfRuns } from "../../../packages/server/src/base/crc32.ts";
import type {
  Appender,
  BlobEpoch,
  BlobStore,
  Checkpoint,
  StoredExtent,
} from "../../../packages/server/src/blobs/blob-store.ts";
import type { Catalog } from "../../../packages/server/src/catalog/catalog.ts";
import type { Upload } from "../../../packages/server/src/catalog/records.ts";
import { completion } from "../../contract/catalog-samples.ts";
import { patternBytes } from "../../support/seeded.ts";

export interface WriterParts {
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly fence: string;
  readonly upload: Upload;
  readonly extents: readonly StoredExtent[];
  readonly takenAt: number;
  /** Its bytes differ from every other writer's: what is mixed up shows. */
  readonly seed: number;
}

/** An append that can be stopped between any two of its steps, and go on when it is over. */
export class Writer {
  readonly #parts: WriterParts;
  readonly #epoch: BlobEpoch;
  #appender: Appender | undefined;
  #extents: StoredExtent[];
  #uncommitted: Checkpoint | undefined;
  #offset: number;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    const { upload, fence, takenAt } = parts;
    const { blobId, offset } = upload;
    this.#epoch = { fence, blobId, base: offset, openedAt: takenAt };
    this.#extents = [...parts.extents];
    this.#offset = offset;
  }

  get upload(): Upload {
    return this.#parts.upload;
  }

  get hasUncommitted(): boolean {
    return this.#uncommitted !== undefined;
  }

  /** Fails when a put does: then this writer is over. */
  async write(length: number): Promise<void> {
    this.#appender ??= await this.#open();
    const start = this.#appender.position;
    const most = Math.min(length, (this.upload.length ?? Infinity) - start);
    await this.#appender.write([this.bytes(start, start + most)]);
    const checkpoint = await this.#appender.checkpoint("everything");
    if (checkpoint.to > this.#offset) this.#uncommitted = checkpoint;
  }

  /** The run that was committed; undefined when the upload is somebody else's by now. */
  async commit(): Promise<{ readonly from: number; readonly to: number } | undefined> {
    const checkpoint = this.#uncommitted;
    if (checkpoint === undefined) throw new Error("there is nothing to commit");
    const { to, extents, replaced } = checkpoint;
    const gone = new Set(replaced.map(({ key }) => key));
    const list = [...this.#extents.filter(({ key }) => !gone.has(key)), ...extents];
    const crc32 = crc32OfRuns(list);
    const { id, blobId, length, expiresAt } = this.upload;
    const run = { from: this.#offset, to };
    const outcome = await this.#parts.catalog.advance({
      ...{ id, blobId, expiresAt, crc32, extents, replaced, ...run },
      fence: this.#parts.fence,
      at: this.#parts.takenAt,
      ending: to === length ? { state: "complete", completion } : undefined,
    });
    if (outcome === "stale") return undefined;
    this.#extents = list;
    this.#offset = to;
    this.#uncommitted = undefined;
    return run;
  }

  bytes(from: number, to: number): Buffer {
    return patternBytes({ seed: this.#parts.seed, start: from, length: to - from });
  }

  async #open(): Promise<Appender> {
    const { catalog, blobs, extents, upload } = this.#parts;
    await catalog.openEpoch({ ...this.#epoch, uploadId: upload.id, looks: 0 });
    return await blobs.openAppender({ epoch: this.#epoch, extents, offset: upload.offset });
  }
}
