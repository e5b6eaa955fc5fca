import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { crc32 } from "../base/crc32.ts";
import { limits } from "../base/limits.ts";
import type { AdvanceEnding, CommitOutcome } from "../catalog/catalog.ts";
import type { Extent, PublishedFile, Upload } from "../catalog/records.ts";
import type { Apps } from "../access/apps.ts";
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

/** Whatever an earlier import left of it is a prefix, and is gone on with. */
async function importBytes(engine: EngineParts, upload: Upload, name: string): Promise<void> {
  const { size } = await stat(name);
  if (size !== upload.offset) {
    throw new Error(`${name} has ${size} bytes where the archive's list says ${upload.offset}`);
  }
  if ((await engine.catalog.findUpload(upload.id)) === undefined) {
    const { id, blobId } = upload;
    await engine.catalog.insertUpload({
      ...upload,
      id,
      blobId,
      state: "open",
      offset: 0,
      crc32: 0,
      completion: undefined,
    });
  }
  const lease = await engine.leases.take(upload.id);
  try {
    if (lease.upload.state !== "open" || lease.upload.offset > 0) return;
    const extents = await storeBytes(engine, { upload, fence: lease.fence, name });
    const outcome = await commit(engine, { upload, fence: lease.fence, extents });
    if (outcome === "stale") throw new Error(`upload ${upload.id} is being written by another`);
  } finally {
    await lease.release();
  }
}

interface Storing {
  readonly upload: Upload;
  readonly fence: string;
  readonly name: string;
}

async function storeBytes(engine: EngineParts, storing: Storing): Promise<readonly Extent[]> {
  const { upload, fence, name } = storing;
  const { blobs, catalog, clock } = engine;
  const { blobId } = upload;
  const epoch = { fence, blobId, base: 0, openedAt: clock.now() };
  if (blobs.properties.needsEpochs) {
    await catalog.openEpoch({ ...epoch, uploadId: upload.id, looks: 0 });
  }
  const appender = await blobs.openAppender({ epoch, extents: [], offset: 0 });
  const extents: Extent[] = [];
  let checksum = 0;
  try {
    for await (const chunk of createReadStream(name, { highWaterMark: readBytes })) {
      // Without an encoding a file is read as Buffers.
      const bytes = chunk as Buffer;
      checksum = crc32(bytes, checksum);
      await appender.write([bytes]);
      if (appender.position % limits.checkpointBytes >= readBytes) continue;
      const { extents: added } = await appender.checkpoint("whole_parts");
      merge(extents, added);
    }
    merge(extents, (await appender.checkpoint("everything")).extents);
  } finally {
    await appender.close();
  }
  if (checksum !== upload.crc32) {
    throw new Error(`${name} is damaged: its CRC-32 is not the one that was acknowledged`);
  }
  return extents;
}

/** One that starts where another does is the same run, grown. */
function merge(extents: Extent[], added: readonly Extent[]): void {
  for (const extent of added) {
    if (extents.at(-1)?.start === extent.start) extents.pop();
    extents.push(extent);
  }
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
