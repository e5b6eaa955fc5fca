import { createWriteStream } from "node:fs";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PublishedFile, Upload } from "../catalog/records.ts";
import { everyFile, everyUpload } from "../engine/look-up.ts";
import type { EngineParts } from "../engine/parts.ts";
import { readBlob } from "../engine/read.ts";
import {
  archiveBlobPath,
  archiveFiles,
  archiveHead,
  formatLine,
  type ArchiveLine,
} from "./archive.ts";

export interface ExportReport {
  readonly apps: number;
  readonly tokens: number;
  readonly uploads: number;
  readonly bytes: number;
}

/** Writes all of a deployment, with the bytes of what can still be used, to an empty directory. */
export async function exportDeployment(
  parts: EngineParts,
  directory: string,
): Promise<ExportReport> {
  await mkdir(path.join(directory, archiveFiles.blobs), { recursive: true, mode: 0o700 });
  const others = (await readdir(directory)).filter((name) => name !== archiveFiles.blobs);
  if (others.length > 0) throw new Error(`${directory} is not empty: ${others.join(", ")}`);
  const name = path.join(directory, archiveFiles.catalog);
  const report = { apps: 0, tokens: 0, uploads: 0, bytes: 0 };
  const count = (line: ArchiveLine): void => {
    if (line.kind === "app") report.apps += 1;
    else if (line.kind === "token") report.tokens += 1;
    else if (line.kind === "upload") {
      report.uploads += 1;
      if (line.bytes) report.bytes += line.upload.offset;
    }
  };
  async function* lines(): AsyncIterable<string> {
    for await (const line of recordsOf(parts, directory)) {
      count(line);
      yield formatLine(line);
    }
  }
  try {
    await pipeline(Readable.from(lines()), createWriteStream(name, { mode: 0o600 }));
    await syncPath(name);
    await syncPath(path.join(directory, archiveFiles.blobs));
    await syncPath(directory);
  } catch (error) {
    // Half a list would look like a whole one.
    await rm(name, { force: true });
    throw error;
  }
  return report;
}

async function* recordsOf(parts: EngineParts, directory: string): AsyncIterable<ArchiveLine> {
  const { catalog } = parts;
  yield archiveHead;
  const apps = await catalog.listApps();
  for (const app of apps) yield { kind: "app", app: { ...app, types: [...app.types] } };
  for (const token of await catalog.listTokens(undefined)) {
    yield { kind: "token", token: { ...token, scopes: [...token.scopes] } };
  }
  for (const { id: appId } of apps) {
    for await (const { upload, file } of uploadsOf(parts, appId)) {
      const isOfUse = upload.state === "open" || upload.state === "complete" || file !== undefined;
      const bytes = isOfUse && upload.offset > 0;
      if (bytes) await writeBlob(parts, upload, directory);
      yield { kind: "upload", upload, bytes, file };
    }
  }
}

interface UploadWithFile {
  readonly upload: Upload;
  readonly file: PublishedFile | undefined;
}

/** An app's uploads, then what was published of those that are forgotten. */
async function* uploadsOf(parts: EngineParts, appId: string): AsyncIterable<UploadWithFile> {
  const { catalog } = parts;
  // Nodes that run meanwhile may forget these before their files are looked at.
  const ended = new Set<string>();
  for await (const upload of everyUpload(parts, { appId, state: undefined })) {
    const file = await catalog.findFileOfUpload(upload.id);
    if (file !== undefined && upload.state !== "complete") ended.add(upload.id);
    yield { upload, file };
  }
  for await (const file of everyFile(parts, appId)) {
    if (ended.has(file.uploadId)) continue;
    if ((await catalog.findUpload(file.uploadId)) !== undefined) continue;
    yield { upload: forgottenUpload(file), file };
  }
}

/** The upload that a file was once published of, as far as it can still be told. */
function forgottenUpload(file: PublishedFile): Upload {
  const { appId, blobId, name, type, size, crc32, sha256, createdAt } = file;
  return {
    ...{ id: file.uploadId, appId, blobId, name, type, crc32, sha256 },
    ...{ userId: "0", state: "expired", protocol: "", creation: "", concatenates: undefined },
    ...{ length: size, lengthMax: size, offset: size, completes: "at_length" },
    ...{ contentPolicy: "off", lifetimeMs: 0, handleLifetimeMs: 0, reason: undefined },
    ...{ createdAt, updatedAt: createdAt, expiresAt: createdAt },
    completion: { completedAt: createdAt, handleExpiresAt: createdAt, nonce: "00".repeat(13) },
  };
}

async function writeBlob(parts: EngineParts, upload: Upload, directory: string): Promise<void> {
  const name = archiveBlobPath(directory, upload.blobId);
  const bytes = readBlob(parts, upload.blobId, { from: 0, to: upload.offset });
  await pipeline(Readable.from(bytes), createWriteStream(name, { mode: 0o600, flags: "wx" }));
  await syncPath(name);
}

async function syncPath(name: string): Promise<void> {
  const handle = await open(name, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
