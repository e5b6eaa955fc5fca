import { crc32, formatCrc32 } from "../base/crc32.ts";
import { asError } from "../base/errors.ts";
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
      const extents = await parts.catalog.listExtents(owner.blobId);
      const problem = await problemOf(parts, extents);
      blobs += 1;
      bytes += extents.reduce((sum, extent) => sum + extent.length, 0);
      if (problem !== undefined) damaged.push(damagedBlob(owner, problem));
      after = owner.blobId;
    }
    if (page.length === 0) return { blobs, bytes, damaged };
  }
}

function damagedBlob(owner: BlobOwner, problem: string): DamagedBlob {
  return { upload: owner.upload?.id, file: owner.file?.id, problem };
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
