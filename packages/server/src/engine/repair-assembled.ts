import { crc32OfRuns } from "../base/crc32.ts";
import { limits } from "../base/limits.ts";
import type { BlobKey } from "../blobs/blob-store.ts";
import type { Extent } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";
import { keysOf, settleEpochs } from "./repair-epochs.ts";
import type { BlobFindings } from "./repair.ts";

interface EndedBlob {
  readonly blobId: string;
  readonly upload: string | undefined;
  readonly dryRun: boolean;
}

/**
 * A blob that was complete when the catalog was saved can only have been made one extent since;
 * then the keys that the catalog names may be gone.
 */
export async function repairAssembled(parts: EngineParts, blob: EndedBlob): Promise<BlobFindings> {
  const { blobId, upload, dryRun } = blob;
  const extents = await parts.catalog.listExtents(blobId);
  const keys = await keysOf(parts, blobId);
  const stored = new Set(keys.map(({ key }) => key));
  const isWhole = await areStored(parts, extents, stored);
  const whole = isWhole ? undefined : keys.find((key) => holdsAll(key, extents));
  const isLost = !isWhole && whole === undefined;
  const known = new Set(extents.map(({ key }) => key));
  const unexplained = isLost ? keys.filter(({ key }) => !known.has(key)) : [];
  if (!dryRun) {
    if (whole !== undefined) await takeIn(parts, { blobId, extents, whole });
    await settleEpochs(parts, { id: upload, blobId }, { keys, unexplained });
  }
  const { length = 0 } = whole ?? {};
  const adoption = { blob: blobId, upload, from: length, to: length, keys: [whole?.key ?? ""] };
  return {
    adoption: whole === undefined ? undefined : adoption,
    unexplained: unexplained.map(({ key }) => key),
    problem: isLost ? "keys that hold its bytes are missing" : undefined,
  };
}

/** A concatenation's keys are of other blobs: those are asked for one by one. */
async function areStored(
  { blobs }: EngineParts,
  extents: readonly Extent[],
  own: ReadonlySet<string>,
): Promise<boolean> {
  for (const extent of extents) {
    if (extent.key === "" || own.has(extent.key)) continue;
    if (!(await blobs.isWhole(extent))) return false;
  }
  return true;
}

function holdsAll(key: BlobKey, extents: readonly Extent[]): boolean {
  const last = extents.at(-1);
  if (last === undefined || key.start !== 0 || key.length !== last.start + last.length)
    return false;
  return key.crc32 === crc32OfRuns(extents);
}

interface TakeIn {
  readonly blobId: string;
  readonly extents: readonly Extent[];
  readonly whole: BlobKey;
}

/** As the assembly did that made it, whose end the catalog does not know. */
async function takeIn(parts: EngineParts, { blobId, extents, whole }: TakeIn): Promise<void> {
  const { catalog, clock, random } = parts;
  const { key, start, length, crc32 } = whole;
  const assembled = { key, start, length, crc32, inline: undefined };
  if (!(await parts.blobs.isWhole(assembled))) throw new Error(`${key} is not whole`);
  const nonce = random.bytes(16).toString("hex");
  const now = clock.now();
  await catalog.requestAssembly(blobId, now);
  // Also from one that the backup has under way: without the keys it names that comes to nothing.
  const until = now + limits.assemblyMsMax;
  const claim = await catalog.claimAssembly({ now, until, nonce, blobId });
  if (claim === undefined) throw new Error("a node has just asked for it: repair it again");
  const finish = { blobId, nonce, extents, assembled, at: now };
  if ((await catalog.finishAssembly(finish)) === "done") return;
  await catalog.putOffAssembly(blobId, nonce, undefined);
  throw new Error("its extents changed meanwhile");
}
