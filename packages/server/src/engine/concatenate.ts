import { crc32OfRuns } from "../base/crc32.ts";
import { uploadError } from "../base/errors.ts";
import type { EndUpload } from "../catalog/catalog.ts";
import type { Extent, Upload } from "../catalog/records.ts";
import { endsWhole, finish } from "./complete.ts";
import { createUpload, type CreateRequest } from "./create.ts";
import { asOf } from "./expiry.ts";
import type { Lease } from "./lease.ts";
import type { EngineParts } from "./parts.ts";

export interface ConcatenateRequest extends Omit<
  CreateRequest,
  "length" | "completes" | "concatenates"
> {
  /** Ids of the app's own uploads, in order; one may come more than once. */
  readonly of: readonly string[];
}

/**
 * An upload made of others' bytes, at once and without a copy: it names their extents. Complete if
 * they all are; else it stays open, and completes when it is looked at and the last of them has.
 * What becomes of them after that is nothing to it: a key's bytes stay while any blob names it.
 */
export async function concatenate(
  parts: EngineParts,
  request: ConcatenateRequest,
): Promise<Upload> {
  const { of, ...words } = request;
  const upload = await createUpload(parts, {
    ...words,
    length: undefined,
    completes: "when_told",
    concatenates: of,
  });
  if (!(await concatenateIfWhole(parts, upload))) return upload;
  return (await parts.catalog.findUpload(upload.id)) ?? upload;
}

/**
 * Ends an upload that is made of others once it can: completes it when all of them are complete,
 * rejects it when they are too long together, cancels it when one is gone. False while it waits.
 */
export async function concatenateIfWhole(parts: EngineParts, upload: Upload): Promise<boolean> {
  const sources = await endedSources(parts, upload);
  if (sources === undefined) return false;
  const lease = await parts.leases.take(upload.id);
  try {
    if (lease.upload.state === "open") await settle(parts, lease, sources);
    return true;
  } finally {
    await lease.release();
  }
}

type Sources = readonly Upload[] | "gone";

/** The uploads it is made of, if it is and none of them is to be waited for. */
async function endedSources(
  parts: EngineParts,
  { concatenates, appId }: Upload,
): Promise<Sources | undefined> {
  if (concatenates === undefined) return undefined;
  const now = parts.clock.now();
  const found = new Map<string, Upload>();
  let waits = false;
  for (const id of new Set(concatenates)) {
    const source = await parts.catalog.findUpload(id);
    // One whose time is over counts as gone only once that is so in its row: a writer may renew it.
    if (source?.appId !== appId || !canBecomePart(source)) return "gone";
    if (asOf(source, now).state === "complete") found.set(id, source);
    else waits = true;
  }
  return waits ? undefined : concatenates.flatMap((id) => found.get(id) ?? []);
}

function canBecomePart({ state }: Upload): boolean {
  return state === "open" || state === "complete";
}

type Held = Pick<Lease, "fence" | "upload">;

async function settle(parts: EngineParts, held: Held, sources: Sources): Promise<void> {
  const extents = sources === "gone" ? sources : await joinedExtents(parts, sources);
  if (extents === "gone") {
    const reason = "an upload that it is made of is gone";
    await giveUp(parts, held, { state: "cancelled", reason });
    return;
  }
  const length = extents.reduce((sum, extent) => sum + extent.length, 0);
  const { lengthMax } = held.upload;
  if (length > lengthMax) {
    const reason = `its parts have ${length} bytes together, and it can have ${lengthMax} at most`;
    await giveUp(parts, held, { state: "rejected", reason });
    return;
  }
  const { fence, upload } = held;
  const news = { from: 0, crc32: crc32OfRuns(extents), length, extents };
  await finish(parts, { fence, upload: { ...upload, length, offset: length }, extents, news });
}

/** When somebody else was faster, what they made of it stands. */
async function giveUp(
  { catalog, clock }: EngineParts,
  { fence, upload: { id, blobId } }: Held,
  ending: Pick<EndUpload, "state" | "reason">,
): Promise<void> {
  await catalog.end({ id, blobId, fence, ...ending, at: clock.now() });
}

/** One after the other. The same key may so be named by several blobs, or twice by one. */
async function joinedExtents(
  parts: EngineParts,
  sources: readonly Upload[],
): Promise<readonly Extent[] | "gone"> {
  const joined: Extent[] = [];
  let start = 0;
  for (const source of sources) {
    const { blobId, offset } = source;
    const extents = await parts.catalog.listExtents(blobId);
    if (extents.reduce((sum, { length }) => sum + length, 0) !== offset) {
      // Somebody has just removed it: whoever asks again is told so.
      throw uploadError("upload_busy", { retryAfterSeconds: 1 });
    }
    if (!(await endsWhole(parts, source, extents))) return "gone";
    for (const extent of extents) joined.push({ ...extent, start: start + extent.start });
    start += offset;
  }
  return joined;
}
