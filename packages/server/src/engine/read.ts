import { limits } from "../base/limits.ts";
import { BytesMissingError, type ByteRange } from "../blobs/blob-store.ts";
import type { Extent, PublishedFile } from "../catalog/records.ts";
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

/**
 * The same by the blob's id. Its extents may be made one meanwhile and their keys removed: then
 * the list is read again, and reading goes on where it was.
 */
export async function* readBlob(
  parts: Pick<EngineParts, "blobs" | "catalog">,
  blobId: string,
  range: ByteRange,
): AsyncIterable<Uint8Array> {
  let extents = await parts.catalog.listExtents(blobId);
  let position = range.from;
  for (let rereads = 0; ; rereads += 1) {
    try {
      for await (const piece of readExtents(parts, extents, { from: position, to: range.to })) {
        position += piece.length;
        yield piece;
      }
      break;
    } catch (error) {
      if (!(error instanceof BytesMissingError) || rereads >= limits.rereadsMax) throw error;
      const known = new Set(extents.map(({ key }) => key));
      extents = await parts.catalog.listExtents(blobId);
      if (extents.every(({ key }) => known.has(key))) throw error;
    }
  }
  if (position < range.to) throw new Error(`the blob ends at ${position}, before ${range.to}`);
}

/** How a download describes itself. */
export interface DownloadHeaders {
  readonly contentType: string;
  readonly contentDisposition: string;
}

/** Where the store itself gives the file; undefined when only this server can. */
export async function downloadUrl(
  parts: Pick<EngineParts, "blobs" | "catalog" | "redirectDownloads">,
  file: PublishedFile,
  headers: DownloadHeaders,
): Promise<string | undefined> {
  if (!parts.redirectDownloads || parts.blobs.signUrl === undefined) return undefined;
  const [extent, ...others] = await parts.catalog.listExtents(file.blobId);
  const isPlain = extent?.inline === undefined && others.length === 0;
  if (extent === undefined || !isPlain || extent.length !== file.size) return undefined;
  return await parts.blobs.signUrl({
    extent,
    ...headers,
    lifetimeSeconds: limits.signedUrlSeconds,
  });
}
