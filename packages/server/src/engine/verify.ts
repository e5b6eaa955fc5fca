import { crc32, formatCrc32 } from "../base/crc32.ts";
import { asError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { BlobOwner } from "../catalog/catalog.ts";
import type { Extent } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";
import { readExtents } from "./read.ts";

export interface VerifyReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedBlob[];
}

export interface DamagedBlob {
  readonly upload: string | undefined;
  readonly file: string | undefined;
  readonly problem: string;
}

/** Reads every stored upload and file and compares it with its recorded CRC-32. */
export async function verify(parts: EngineParts): Promise<VerifyReport> {
  let [blobs, bytes, after] = [0, 0, ""];
  const damaged: DamagedBlob[] = [];
  for (;;) {
    const page = await parts.catalog.listBlobs(after, 100);
    for (const owner of page) {
      const { problem, bytes: length } = await verifyBlob(parts, owner.blobId);
      blobs += 1;
      bytes += length;
      if (problem !== undefined) damaged.push(damagedBlob(owner, problem));
      after = owner.blobId;
    }
    if (page.length === 0) return { blobs, bytes, damaged };
  }
}

function damagedBlob(owner: BlobOwner, problem: string): DamagedBlob {
  return { upload: owner.upload?.id, file: owner.file?.id, problem };
}

/** A blob whose extents were made one meanwhile is read again from its start. */
async function verifyBlob(
  parts: EngineParts,
  blobId: string,
): Promise<{ readonly problem: string | undefined; readonly bytes: number }> {
  let extents = await parts.catalog.listExtents(blobId);
  for (let rereads = 0; ; rereads += 1) {
    const problem = await problemOf(parts, extents);
    const known = new Set(extents.map(({ key }) => key));
    const again = problem === undefined ? extents : await parts.catalog.listExtents(blobId);
    // Deleted while it was read: nothing is wrong with it.
    if (again.length === 0) return { problem: undefined, bytes: 0 };
    if (rereads >= limits.rereadsMax || again.every(({ key }) => known.has(key))) {
      return { problem, bytes: extents.reduce((sum, extent) => sum + extent.length, 0) };
    }
    extents = again;
  }
}

async function problemOf(
  parts: EngineParts,
  extents: readonly Extent[],
): Promise<string | undefined> {
  for (const extent of extents) {
    const range = { from: extent.start, to: extent.start + extent.length };
    try {
      let crc = 0;
      for await (const piece of readExtents(parts, [extent], range)) crc = crc32(piece, crc);
      if (crc !== extent.crc32) {
        return `CRC-32 is ${formatCrc32(crc)}, recorded is ${formatCrc32(extent.crc32)}`;
      }
    } catch (error) {
      return asError(error).message;
    }
  }
  return undefined;
}
