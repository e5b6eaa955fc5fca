import type { ByteRange } from "../blobs/blob-store.ts";
import type { Extent } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";

/** Bytes [from, to) of a blob, along its extents. */
export async function* readExtents(
  parts: Pick<EngineParts, "blobs">,
  extents: readonly Extent[],
  range: ByteRange,
): AsyncIterable<Uint8Array> {
  for (const extent of extents) {
    const from = Math.max(range.from - extent.start, 0);
    const to = Math.min(range.to - extent.start, extent.length);
    if (from >= to) continue;
    if (extent.inline !== undefined) yield extent.inline.subarray(from, to);
    else yield* parts.blobs.read(extent, { from, to });
  }
}

/** The same by the blob's id. */
export async function* readBlob(
  parts: EngineParts,
  blobId: string,
  range: ByteRange,
): AsyncIterable<Uint8Array> {
  yield* readExtents(parts, await parts.catalog.listExtents(blobId), range);
}
