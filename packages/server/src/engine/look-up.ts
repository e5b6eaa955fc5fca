import { uploadError } from "../base/errors.ts";
import type { PageQuery, Place, UploadQuery } from "../catalog/catalog.ts";
import type { PublishedFile, Upload } from "../catalog/records.ts";
import { completeLeftOpen } from "./complete.ts";
import { concatenateIfWhole } from "./concatenate.ts";
import { asOf, lacksCompletion } from "./expiry.ts";
import type { EngineParts } from "./parts.ts";

export type { Place };

/**
 * An app's upload as it is committed. "Not yours" and "not there" are the same answer. One whose
 * last byte came without its completion is completed first.
 */
export async function findUpload(parts: EngineParts, id: string, appId: string): Promise<Upload> {
  const upload = await settledUpload(parts, id);
  if (upload?.appId !== appId) throw uploadError("node_unknown", { node: id });
  return upload;
}

/**
 * The same for who asks how far it is. What a sender brought that was cut a moment ago is still
 * being made durable: an offset from before that would be stale as soon as it was told.
 */
export async function findSettled(parts: EngineParts, upload: Upload): Promise<Upload> {
  if (upload.state !== "open" || !parts.leases.isHeld(upload.id)) return upload;
  await parts.leases.awaitEnding(upload.id);
  return await findUpload(parts, upload.id, upload.appId);
}

/** One of whatever app, for whoever looks at that next. */
export async function settledUpload(parts: EngineParts, id: string): Promise<Upload | undefined> {
  let upload = await parts.catalog.findUpload(id);
  if (upload?.state === "open") {
    if (lacksCompletion(upload)) await completeLeftOpen(parts, id);
    else if (!(await concatenateIfWhole(parts, upload))) return expiredOr(parts, upload);
    upload = await parts.catalog.findUpload(id);
  }
  return upload === undefined ? undefined : await expiredOr(parts, upload);
}

async function expiredOr(parts: EngineParts, upload: Upload): Promise<Upload> {
  const asItIs = asOf(upload, parts.clock.now());
  return asItIs.state === upload.state ? upload : await unlessHeld(parts, asItIs, upload);
}

/** Nothing expires under a writer, here or elsewhere: its next bytes renew it. */
async function unlessHeld(parts: EngineParts, expired: Upload, upload: Upload): Promise<Upload> {
  const { id } = upload;
  if (parts.leases.isHeld(id)) return upload;
  if ((await parts.catalog.heldElsewhere([id])).has(id)) return upload;
  // Whoever let go of it since it was read may have renewed it, or ended it.
  const now = await parts.catalog.findUpload(id);
  return now === undefined ? expired : asOf(now, parts.clock.now());
}

export function listUploads(parts: EngineParts, query: UploadQuery): Promise<Upload[]> {
  return parts.catalog.listUploads(query);
}

/** All of an app's uploads, newest first, read page by page. */
export async function* everyUpload(
  { catalog }: Pick<EngineParts, "catalog">,
  query: Pick<UploadQuery, "appId" | "state">,
): AsyncIterable<Upload> {
  for (let after: Place | undefined; ;) {
    const page: Upload[] = await catalog.listUploads({ ...query, after, limit: 500 });
    yield* page;
    after = page.at(-1);
    if (after === undefined) return;
  }
}

/** All of an app's published files, likewise. */
export async function* everyFile(
  { catalog }: Pick<EngineParts, "catalog">,
  appId: string,
): AsyncIterable<PublishedFile> {
  for (let after: Place | undefined; ;) {
    const page: PublishedFile[] = await catalog.listFiles({ appId, after, limit: 500 });
    yield* page;
    after = page.at(-1);
    if (after === undefined) return;
  }
}

/** Only such an id is looked up: Postgres fails at a text with a NUL. */
export function isFileId(id: string): boolean {
  return /^[0-9]{1,20}$/.test(id);
}

/** The same of an upload's. */
export function isUploadId(id: string): boolean {
  return /^[0-9a-f-]{36}$/.test(id);
}

/** An app's published file, with the same rule. */
export async function findFile(
  parts: EngineParts,
  id: string,
  appId: string,
): Promise<PublishedFile> {
  const file = isFileId(id) ? await parts.catalog.findFile(id) : undefined;
  if (file?.appId !== appId) throw uploadError("node_unknown", { node: id });
  return file;
}

export function listFiles(parts: EngineParts, query: PageQuery): Promise<PublishedFile[]> {
  return parts.catalog.listFiles(query);
}

/** Removes a published file; its handle ends with it. */
export async function deleteFile(parts: EngineParts, file: PublishedFile): Promise<void> {
  const removed = await parts.catalog.removeFile(file.id, parts.clock.now());
  if (!removed) throw uploadError("node_unknown", { node: file.id });
}
