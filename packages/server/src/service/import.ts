import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { crc32 } from "../base/crc32.ts";
import { limits } from "../base/limits.ts";
import type { CheckpointScope } from "../blobs/blob-store.ts";
import type { AdvanceEnding, Catalog, CommitOutcome } from "../catalog/catalog.ts";
import { fileDeleted, type Extent, type PublishedFile, type Upload } from "../catalog/records.ts";
import type { Apps } from "../access/apps.ts";
import { inOrder, mergeExtents, openAppender } from "../engine/extents.ts";
import type { Lease } from "../engine/lease.ts";
import type { EngineParts } from "../engine/parts.ts";
import { archiveBlobPath, readArchive, type ArchiveLine } from "./archive.ts";

export interface ImportReport {
  readonly apps: number;
  readonly tokens: number;
  readonly uploads: number;
  readonly bytes: number;
  /** Uploads that were there already, as after an import that was broken off, and are left so. */
  readonly known: number;
}

export interface ImportParts {
  readonly engine: EngineParts;
  readonly apps: Pick<Apps, "find">;
}

type UploadLine = Extract<ArchiveLine, { readonly kind: "upload" }>;

const readBytes = 1024 * 1024;

/**
 * Reads an archive into this deployment. Every upload is one commit at its end, so that an import
 * that was broken off can be begun again: what is there is left as it is. Fails at a file that can
 * neither be read in nor is there.
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
      if ((await isThere(catalog, record)) || !(await importUpload(engine, record, directory))) {
        report.known += 1;
        continue;
      }
      report.uploads += 1;
      if (record.bytes) report.bytes += record.upload.offset;
    }
  }
  return report;
}

async function isThere(catalog: Catalog, { upload, file }: UploadLine): Promise<boolean> {
  if (file !== undefined && (await catalog.findFile(file.id)) !== undefined) return true;
  const found = await catalog.findUpload(upload.id);
  if (file !== undefined) return found?.reason === fileDeleted;
  return found !== undefined && (found.state !== "open" || found.offset >= upload.offset);
}

/**
 * All of it or, for whoever looks before the one commit at its end, nothing. False when somebody
 * has gone on with it here, which is left as it is.
 */
async function importUpload(
  engine: EngineParts,
  line: UploadLine,
  directory: string,
): Promise<boolean> {
  const { upload, bytes, file } = line;
  if (bytes || file !== undefined) return await importWhole(engine, line, directory);
  const found = await engine.catalog.findUpload(upload.id);
  return found === undefined && (await engine.catalog.insertUpload(upload));
}

async function importWhole(
  engine: EngineParts,
  { upload, bytes, file }: UploadLine,
  directory: string,
): Promise<boolean> {
  const name = archiveBlobPath(directory, upload.blobId);
  if (bytes) await checkSize(name, upload);
  await begin(engine, upload);
  const lease = await engine.leases.take(upload.id);
  try {
    const isBegun = lease.upload.state === "open" && lease.upload.offset === 0;
    if (isBegun) {
      const extents = bytes
        ? await storeBytes(engine, await inOrder(engine, lease), { upload, name })
        : [];
      const expiresAt = file === undefined ? 0 : engine.clock.now() + limits.importPublishMs;
      const whole = { ...upload, expiresAt: Math.max(upload.expiresAt, expiresAt) };
      const outcome = await commit(engine, { upload: whole, fence: lease.fence, extents });
      if (outcome === "stale") throw new Error(`upload ${upload.id} is being written by another`);
    }
    if (file !== undefined) await importFile(engine.catalog, file);
    return isBegun || file !== undefined;
  } finally {
    await lease.release();
  }
}

async function checkSize(name: string, { offset }: Upload): Promise<void> {
  const { size } = await stat(name);
  if (size === offset) return;
  throw new Error(`${name} has ${size} bytes where the archive's list says ${offset}`);
}

/** It may be over in the archive: here it is not before it has had the time to be read in. */
async function begin({ catalog, clock }: EngineParts, upload: Upload): Promise<void> {
  if ((await catalog.findUpload(upload.id)) !== undefined) return;
  const begun = { state: "open", offset: 0, crc32: 0, completion: undefined } as const;
  const expiresAt = clock.now() + limits.importBegunMs;
  await catalog.insertUpload({ ...upload, ...begun, expiresAt });
}

async function importFile(catalog: Catalog, file: PublishedFile): Promise<void> {
  const inserted = await catalog.insertFile(file);
  if (inserted?.id === file.id) return;
  const state = (await catalog.findUpload(file.uploadId))?.state ?? "gone";
  const what = inserted === undefined ? state : `published as ${inserted.id}`;
  throw new Error(`file ${file.id} cannot be read in: its upload ${file.uploadId} is ${what} here`);
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
