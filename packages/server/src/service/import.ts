import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { crc32 } from "../base/crc32.ts";
import { limits } from "../base/limits.ts";
import type { CheckpointScope } from "../blobs/blob-store.ts";
import type { AdvanceEnding, CommitOutcome } from "../catalog/catalog.ts";
import type { Extent, PublishedFile, Upload } from "../catalog/records.ts";
import type { Apps } from "../access/apps.ts";
import { inOrder, mergeExtents, openAppender } from "../engine/extents.ts";
import type { Lease } from "../engine/lease.ts";
import type { EngineParts } from "../engine/parts.ts";
import { archiveBlobPath, readArchive } from "./archive.ts";

export interface ImportReport {
  readonly apps: number;
  readonly tokens: number;
  readonly uploads: number;
  readonly bytes: number;
  /** Uploads that were there already, as after an import that was broken off. */
  readonly known: number;
}

export interface ImportParts {
  readonly engine: EngineParts;
  readonly apps: Apps;
}

const readBytes = 1024 * 1024;

/**
 * Reads an archive into this deployment. Every upload is one commit at its end, so that an import
 * that was broken off can be begun again: what is there is left as it is.
 */
export async function importDeployment(
  { engine, apps }: ImportParts,
  directory: string,
): Promise<ImportReport> {
  const { catalog } = engine;
  const report = { apps: 0, tokens: 0, uploads: 0, bytes: 0, known: 0 };
  for await (const record of readArchive(directory)) {
    if (record.kind === "app") {
      if (await catalog.insertApp(record.app)) report.apps += 1;
      // A key that cannot open the secret could not open anything else of this archive either.
      await apps.find(record.app.id);
    } else if (record.kind === "token") {
      if ((await catalog.findToken(record.token.hash)) !== undefined) continue;
      await catalog.insertToken(record.token);
      report.tokens += 1;
    } else if (record.kind === "upload") {
      const { upload, bytes, file } = record;
      if (await isThere(engine, upload, file)) {
        report.known += 1;
        continue;
      }
      if (bytes) await importBytes(engine, upload, archiveBlobPath(directory, upload.blobId));
      else if ((await catalog.findUpload(upload.id)) === undefined) {
        await catalog.insertUpload(upload);
      }
      if (file !== undefined) await catalog.insertFile(file);
      report.uploads += 1;
      if (bytes) report.bytes += upload.offset;
    }
  }
  return report;
}

async function isThere(
  { catalog }: EngineParts,
  upload: Upload,
  file: PublishedFile | undefined,
): Promise<boolean> {
  if (file !== undefined && (await catalog.findFile(file.id)) === undefined) return false;
  const found = await catalog.findUpload(upload.id);
  if (found === undefined) return file !== undefined;
  return found.state !== "open" || found.offset >= upload.offset;
}

/** All of it or, for whoever looks before the one commit at its end, nothing. */
async function importBytes(engine: EngineParts, upload: Upload, name: string): Promise<void> {
  const { size } = await stat(name);
  if (size !== upload.offset) {
    throw new Error(`${name} has ${size} bytes where the archive's list says ${upload.offset}`);
  }
  if ((await engine.catalog.findUpload(upload.id)) === undefined) {
    const begun = { state: "open", offset: 0, crc32: 0, completion: undefined } as const;
    await engine.catalog.insertUpload({ ...upload, ...begun });
  }
  const lease = await engine.leases.take(upload.id);
  try {
    if (lease.upload.state !== "open" || lease.upload.offset > 0) return;
    const extents = await storeBytes(engine, await inOrder(engine, lease), { upload, name });
    const outcome = await commit(engine, { upload, fence: lease.fence, extents });
    if (outcome === "stale") throw new Error(`upload ${upload.id} is being written by another`);
  } finally {
    await lease.release();
  }
}

async function storeBytes(
  engine: EngineParts,
  lease: Lease,
  { upload, name }: { readonly upload: Upload; readonly name: string },
): Promise<readonly Extent[]> {
  let extents: Extent[] = [];
  const appender = await openAppender(engine, { lease, upload: lease.upload, extents });
  const checkpoint = async (scope: CheckpointScope): Promise<void> => {
    const made = await appender.checkpoint(scope);
    extents = mergeExtents(extents, made.extents, made.replaced);
  };
  let checksum = 0;
  try {
    for await (const chunk of createReadStream(name, { highWaterMark: readBytes })) {
      // Without an encoding a file is read as Buffers.
      const bytes = chunk as Buffer;
      checksum = crc32(bytes, checksum);
      await appender.write([bytes]);
      if (appender.position % limits.checkpointBytes < readBytes) await checkpoint("whole_parts");
    }
    await checkpoint("everything");
  } finally {
    await appender.close();
  }
  if (checksum !== upload.crc32) {
    throw new Error(`${name} is damaged: its CRC-32 is not the one that was acknowledged`);
  }
  return extents;
}

async function commit(
  engine: EngineParts,
  committing: {
    readonly upload: Upload;
    readonly fence: string;
    readonly extents: readonly Extent[];
  },
): Promise<CommitOutcome> {
  const { upload, fence, extents } = committing;
  const { completion } = upload;
  const ending: AdvanceEnding | undefined =
    completion === undefined ? undefined : { state: "complete", completion };
  return await engine.catalog.advance({
    id: upload.id,
    blobId: upload.blobId,
    fence,
    from: 0,
    to: upload.offset,
    crc32: upload.crc32,
    extents,
    replaced: [],
    at: upload.updatedAt,
    expiresAt: upload.expiresAt,
    ending,
  });
}
