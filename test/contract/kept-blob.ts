import { randomBytes, randomUUID } from "node:crypto";
import { expect } from "vitest";
import { crc32 } from "../../packages/server/src/base/crc32.ts";
import type {
  Appender,
  BlobEpoch,
  BlobStore,
  ByteRange,
  Checkpoint,
  StoredExtent,
} from "../../packages/server/src/blobs/blob-store.ts";

/** A blob as the catalog would keep it: what was checkpointed, and nothing else. */
export class KeptBlob {
  readonly blobId = randomUUID();
  extents: StoredExtent[] = [];
  offset = 0;
  /** Keys whose bytes another extent holds, too. */
  readonly doomed: string[] = [];

  /** Opens the blob's end under an epoch of its own, as every take of its lease does. */
  open(store: BlobStore): Promise<Appender> {
    const { blobId, extents, offset } = this;
    return store.openAppender({ extents, offset, epoch: epochOf({ blobId, offset }) });
  }

  keep({ to, extents, replaced }: Checkpoint): void {
    for (const old of replaced) expect(this.extents).toContainEqual(old);
    const starts = new Set([...extents, ...replaced].map(({ start }) => start));
    this.extents = [...this.extents.filter(({ start }) => !starts.has(start)), ...extents].sort(
      (one, other) => one.start - other.start,
    );
    this.offset = to;
    this.doomed.push(...replaced.map(({ key }) => key).filter((key) => key !== ""));
  }

  async append(store: BlobStore, bytes: Uint8Array): Promise<void> {
    const appender = await this.open(store);
    await appender.write([bytes]);
    this.keep(await appender.checkpoint("everything"));
    await appender.close();
  }

  /** The blob's bytes, and that the extents are what they say and follow each other. */
  async read(store: BlobStore): Promise<Buffer> {
    const runs: Buffer[] = [];
    let position = 0;
    for (const extent of this.extents) {
      expect(extent.start).toBe(position);
      const run = await readRange(store, extent, { from: 0, to: extent.length });
      expect(run.length).toBe(extent.length);
      expect(crc32(run)).toBe(extent.crc32);
      if (extent.inline === undefined) expect(await store.isWhole(extent)).toBe(true);
      position += extent.length;
      runs.push(run);
    }
    expect(position).toBe(this.offset);
    return Buffer.concat(runs);
  }

  get keys(): string[] {
    return this.extents.map(({ key }) => key).filter((key) => key !== "");
  }
}

export function epochOf(blob: { readonly blobId: string; readonly offset: number }): BlobEpoch {
  const fence = randomBytes(16).toString("hex");
  return { fence, blobId: blob.blobId, base: blob.offset, openedAt: Date.now() };
}

/** As the engine reads: what the catalog holds itself is not asked of the store. */
export async function readRange(
  store: BlobStore,
  extent: StoredExtent,
  range: ByteRange,
): Promise<Buffer> {
  if (extent.inline !== undefined) {
    return Buffer.from(extent.inline.subarray(range.from, range.to));
  }
  return Buffer.concat(await collect(store.read(extent, range)));
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
