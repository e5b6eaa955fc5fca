import { uploadError } from "../base/errors.ts";
import type { Advance, AdvanceEnding } from "../catalog/catalog.ts";
import type { Completion, Extent, Upload } from "../catalog/records.ts";
import { limits } from "../base/limits.ts";
import { sha256Of } from "../base/sha256.ts";
import { assembleInBackground } from "./assemble.ts";
import { damage } from "./damage.ts";
import { hasAllBytes, lacksCompletion } from "./expiry.ts";
import type { EngineParts } from "./parts.ts";
import { readExtents } from "./read.ts";
import { typeAgrees } from "./sniff.ts";

export interface FinishedContent {
  readonly extents: readonly Extent[];
  /** The first bytes, when the last append brought them too; empty to have them read again. */
  readonly head: Uint8Array;
}

/** What the finished upload becomes: complete, or rejected when its content is not as declared. */
export async function endingOf(
  parts: EngineParts,
  upload: Upload,
  content: FinishedContent,
): Promise<AdvanceEnding> {
  const { head, extents } = content;
  if (
    upload.sha256 !== undefined &&
    upload.sha256 !== (await wholeSha256(parts, upload, extents))
  ) {
    return { state: "rejected", reason: "the content is not what its SHA-256 says" };
  }
  const isJudged = upload.contentPolicy !== "off";
  const first = isJudged && head.length === 0 ? await readHead(parts, upload, extents) : head;
  const reason = rejectionOf(parts, upload, first);
  if (reason !== undefined) return { state: "rejected", reason };
  return { state: "complete", completion: newCompletion(parts, upload) };
}

/** Why an upload that begins like this is to be rejected; undefined when it is not. */
export function rejectionOf(
  parts: Pick<EngineParts, "log">,
  upload: Upload,
  head: Uint8Array,
): string | undefined {
  if (upload.contentPolicy === "off" || typeAgrees(upload.type, head) !== false) return undefined;
  parts.log.warn({ upload: upload.id, type: upload.type }, "content disagrees with its type");
  if (upload.contentPolicy !== "reject") return undefined;
  return `the content is not ${upload.type}, which was declared`;
}

/**
 * The same of a complete upload that was not to be judged, by what its app wants now. It may be a
 * part of another one, and to be judged only once somebody wants to use it as a file.
 */
export async function rejectionOfUnjudged(
  parts: EngineParts,
  upload: Upload,
): Promise<string | undefined> {
  if (upload.contentPolicy !== "off") return undefined;
  const { contentPolicy = "off" } = (await parts.catalog.findApp(upload.appId)) ?? {};
  if (contentPolicy === "off") return undefined;
  const extents = await parts.catalog.listExtents(upload.blobId);
  const head = await readHead(parts, upload, extents);
  return rejectionOf(parts, { ...upload, contentPolicy }, head);
}

/**
 * Whether the last run is all there, for who completes an upload without having gone on with it:
 * whoever does finds out by that.
 */
export async function endsWhole(
  parts: Pick<EngineParts, "blobs">,
  { offset }: Pick<Upload, "offset">,
  extents: readonly Extent[],
): Promise<boolean> {
  const last = extents.at(-1);
  if (last === undefined || last.inline !== undefined) return true;
  try {
    return await parts.blobs.isWhole(last);
  } catch (error) {
    throw uploadError("storage_failed", { offset }, { cause: error });
  }
}

function newCompletion(parts: EngineParts, upload: Upload): Completion {
  const completedAt = parts.clock.now();
  return {
    completedAt,
    handleExpiresAt: completedAt + upload.handleLifetimeMs,
    nonce: parts.random.bytes(13).toString("hex"),
  };
}

/** Of bytes that are durable already. */
async function wholeSha256(
  parts: EngineParts,
  { offset }: Upload,
  extents: readonly Extent[],
): Promise<string> {
  try {
    return await sha256Of(readExtents(parts, extents, { from: 0, to: offset }), offset);
  } catch (error) {
    throw uploadError("storage_failed", { offset }, { cause: error });
  }
}

/** The durable ones of the bytes by which its content is judged. */
export async function readHead(
  parts: EngineParts,
  upload: Upload,
  extents: readonly Extent[],
): Promise<Uint8Array> {
  const to = Math.min(limits.sniffBytes, upload.offset);
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of readExtents(parts, extents, { from: 0, to })) pieces.push(piece);
  } catch (error) {
    // The upload stays as it is: whoever sent the last bytes may send them again.
    throw uploadError("storage_failed", { offset: upload.offset }, { cause: error });
  }
  return Buffer.concat(pieces);
}

/** Completes an upload whose last byte a crash let in without the completion that belongs to it. */
export function completeLeftOpen(parts: EngineParts, id: string): Promise<void> {
  return completeWhere(parts, id, lacksCompletion);
}

/** Completes an upload that has all its bytes, also where it was to wait until it is told. */
export function completeAtLength(parts: EngineParts, id: string): Promise<void> {
  return completeWhere(parts, id, hasAllBytes);
}

async function completeWhere(
  parts: EngineParts,
  id: string,
  isDue: (upload: Upload) => boolean,
): Promise<void> {
  const lease = await parts.leases.take(id);
  try {
    const { upload } = lease;
    if (!isDue(upload)) return;
    const extents = await parts.catalog.listExtents(upload.blobId);
    if (!(await endsWhole(parts, upload, extents))) {
      await damage(parts, lease, "its last bytes are missing");
      return;
    }
    const { fence } = lease;
    const news = { from: upload.offset, crc32: upload.crc32, extents: [] };
    await finish(parts, { fence, upload, extents, news });
  } finally {
    await lease.release();
  }
}

export interface Finish {
  readonly fence: string;
  /** As it is to be. */
  readonly upload: Upload;
  /** All of it. */
  readonly extents: readonly Extent[];
  /** What the catalog does not have of it yet. */
  readonly news: Pick<Advance, "from" | "crc32" | "length" | "extents">;
}

/** Ends an upload by its content. When somebody else was faster, what they made of it stands. */
export async function finish(
  parts: EngineParts,
  { fence, upload, extents, news }: Finish,
): Promise<void> {
  const { id, blobId, offset } = upload;
  const ending = await endingOf(parts, upload, { extents, head: new Uint8Array() });
  const outcome = await parts.catalog.advance({
    ...{ id, blobId, fence, ...news, to: offset },
    replaced: [],
    at: parts.clock.now(),
    expiresAt: ending.state === "complete" ? ending.completion.handleExpiresAt : upload.expiresAt,
    ending,
  });
  if (outcome === "done" && ending.state === "complete") await assembleInBackground(parts, blobId);
}
