import { crc32OfRuns, formatCrc32 } from "../base/crc32.ts";
import { asError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import { TooManyExtentsError, type BlobEpoch, type StoredExtent } from "../blobs/blob-store.ts";
import type { Assembly, Extent } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";

/** Asks for the blob to be made one extent, where it is not and the store can. */
export async function requestAssembly(parts: EngineParts, blobId: string): Promise<void> {
  if (parts.blobs.assemble === undefined) return;
  const extents = await parts.catalog.listExtents(blobId);
  if (extents.length > 1) await parts.catalog.requestAssembly(blobId, parts.clock.now());
}

/** After completion, which stands whatever becomes of this: publishing asks again. */
export async function assembleInBackground(parts: EngineParts, blobId: string): Promise<void> {
  if (parts.assembly !== "background") return;
  try {
    await requestAssembly(parts, blobId);
  } catch (error) {
    parts.log.warn({ err: asError(error), blob: blobId }, "assembly could not be asked for");
  }
}

/**
 * Does one assembly that is due; false when none is. It is this process's until its time is up,
 * counted from the claim; then, or after a crash, somebody else tries again with another nonce.
 */
export async function assembleNext(parts: EngineParts, signal: AbortSignal): Promise<boolean> {
  if (parts.blobs.assemble === undefined || parts.assembly === "never") return false;
  const { catalog, clock, random } = parts;
  const now = clock.now();
  const nonce = random.bytes(16).toString("hex");
  const timeout = new AbortController();
  const cancel = clock.after(limits.assemblyMsMax, () => {
    timeout.abort(new Error("making one extent took too long"));
  });
  try {
    const claim = await catalog.claimAssembly({ now, until: now + limits.assemblyMsMax, nonce });
    if (claim === undefined) return false;
    await closeEarlierEpochs(parts, claim);
    await assembleClaimed(parts, claim, AbortSignal.any([signal, timeout.signal]));
    return true;
  } finally {
    cancel();
  }
}

/** Those before this claim commit nothing any more: their nonce is not current. */
async function closeEarlierEpochs(parts: EngineParts, claim: Assembly): Promise<void> {
  for (const { fence, uploadId } of await parts.catalog.listEpochs(claim.blobId)) {
    if (uploadId === undefined && fence !== claim.nonce) {
      await parts.catalog.closeEpoch(fence, parts.clock.now());
    }
  }
}

async function assembleClaimed(
  parts: EngineParts,
  claim: Assembly,
  signal: AbortSignal,
): Promise<void> {
  const { catalog, clock } = parts;
  const { blobId, nonce } = claim;
  try {
    // A process that died of it did not count its own failure.
    if (claim.tries > limits.assemblyTriesMax) throw new Error("no try before came to an end");
    const extents = await catalog.listExtents(blobId);
    // Nothing is left to do of a blob that was removed, or is one extent already.
    if (extents.length > 1) await assembleExtents(parts, { claim, extents, signal });
    else await catalog.putOffAssembly(blobId, nonce, undefined);
  } catch (error) {
    await putOff(parts, claim, asError(error));
  }
  // Last: by now the assembly is done, or this nonce is not current any more.
  await catalog.closeEpoch(nonce, clock.now());
}

interface AssemblyTry {
  readonly claim: Assembly;
  readonly extents: readonly Extent[];
  readonly signal: AbortSignal;
}

async function assembleExtents(parts: EngineParts, attempt: AssemblyTry): Promise<void> {
  const { catalog, blobs, clock } = parts;
  const { claim, extents, signal } = attempt;
  const { blobId, nonce } = claim;
  const whole = wholeOf(extents);
  const epoch: BlobEpoch = { fence: nonce, blobId, base: whole.length, openedAt: clock.now() };
  await catalog.openEpoch({ ...epoch, uploadId: undefined, looks: 0 });
  const assembled = await blobs.assemble?.({ epoch, extents, signal });
  if (assembled === undefined) throw new Error("the store cannot do that");
  refuseDifferent(assembled, whole);
  signal.throwIfAborted();
  const finish = { blobId, nonce, extents, assembled, at: clock.now() };
  if ((await catalog.finishAssembly(finish)) === "done") {
    parts.log.info({ blob: blobId, extents: extents.length }, "a blob was made one extent");
    return;
  }
  const current = await catalog.listExtents(blobId);
  if (current.length > 1) throw new Error("the claim was not current, or the blob has changed");
  // The blob was removed meanwhile.
  await catalog.putOffAssembly(blobId, nonce, undefined);
}

function wholeOf(extents: readonly Extent[]): Pick<Extent, "length" | "crc32"> {
  const length = extents.reduce((sum, extent) => sum + extent.length, 0);
  return { length, crc32: crc32OfRuns(extents) };
}

function refuseDifferent(assembled: StoredExtent, whole: Pick<Extent, "length" | "crc32">): void {
  const { start, length, crc32 } = assembled;
  if (start === 0 && length === whole.length && crc32 === whole.crc32) return;
  throw new Error(
    `the store made [${start}, ${start + length}) with CRC-32 ${formatCrc32(crc32)} ` +
      `of ${whole.length} bytes with ${formatCrc32(whole.crc32)}`,
  );
}

async function putOff(parts: EngineParts, claim: Assembly, error: Error): Promise<void> {
  const { blobId, nonce, tries } = claim;
  const facts = { err: error, blob: blobId, tries };
  if (error instanceof TooManyExtentsError) {
    parts.log.warn(facts, "a blob is too long to be made one extent: it is read from its parts");
    await parts.catalog.putOffAssembly(blobId, nonce, undefined);
    return;
  }
  if (tries >= limits.assemblyTriesMax) {
    parts.log.error(facts, "a blob could not be made one extent: given up, it stays readable");
    await parts.catalog.putOffAssembly(blobId, nonce, undefined);
    return;
  }
  parts.log.warn(facts, "a blob could not be made one extent yet");
  const waitMs = limits.assemblyRetryMs * 4 ** (tries - 1);
  await parts.catalog.putOffAssembly(blobId, nonce, parts.clock.now() + waitMs);
}
