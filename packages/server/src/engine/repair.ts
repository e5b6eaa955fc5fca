import { crc32OfRuns } from "../base/crc32.ts";
import { asError } from "../base/errors.ts";
import type { BlobKey } from "../blobs/blob-store.ts";
import type { Advance } from "../catalog/catalog.ts";
import type { Upload } from "../catalog/records.ts";
import { completeLeftOpen, endingOf } from "./complete.ts";
import { lacksCompletion } from "./expiry.ts";
import type { EngineParts } from "./parts.ts";
import { keysOf, settleEnded, settleEpochs } from "./repair-epochs.ts";
import { planRepair, type RepairPlan } from "./repair-plan.ts";
import { repairAssembled } from "./repair-assembled.ts";

export interface RepairReport {
  /** Why bytes may be adopted now; undefined when they may not, and nothing was changed. */
  readonly removalHeld: string | undefined;
  readonly dryRun: boolean;
  readonly adopted: readonly Adoption[];
  /** Keys that may have been acknowledged and belong to nothing: they are kept. */
  readonly unexplained: readonly string[];
  readonly problems: readonly RepairProblem[];
}

export interface Adoption {
  readonly blob: string;
  readonly upload: string | undefined;
  /** The offset before and after. */
  readonly from: number;
  readonly to: number;
  readonly keys: readonly string[];
}

export interface RepairProblem {
  readonly blob: string;
  readonly upload: string | undefined;
  readonly problem: string;
}

/** What is found out about one blob. */
export interface BlobFindings {
  readonly adoption: Adoption | undefined;
  readonly unexplained: readonly string[];
  readonly problem: string | undefined;
}

/**
 * Gives a restored catalog back what was committed after it was saved, from the names of keys.
 * Only while no sweep can be removing those keys: that is, while removal is refused. What goes on
 * being appended before this is done counts as a take of its own, from the offset it was told.
 */
export async function repair(
  parts: EngineParts,
  options: { readonly dryRun: boolean },
): Promise<RepairReport> {
  const removalHeld = await parts.removalGuard.refusal();
  const dryRun = options.dryRun || removalHeld === undefined;
  const adopted: Adoption[] = [];
  const unexplained: string[] = [];
  const problems: RepairProblem[] = [];
  const note = (blob: string, upload: string | undefined, findings: BlobFindings): void => {
    if (findings.adoption !== undefined) adopted.push(findings.adoption);
    unexplained.push(...findings.unexplained);
    const { problem } = findings;
    if (problem !== undefined) problems.push({ blob, upload, problem });
  };
  if (parts.blobs.properties.needsEpochs) {
    for (const { id, blobId } of await parts.catalog.listOpenSince(0)) {
      const findings = await attempt(() => repairOpen(parts, id, dryRun));
      note(blobId, id, findings);
      if (dryRun || findings.problem !== undefined) continue;
      note(blobId, id, await attempt(() => completeRepaired(parts, id)));
    }
    for await (const { blobId, upload } of endedBlobs(parts)) {
      note(blobId, upload, await attempt(() => repairAssembled(parts, { blobId, upload, dryRun })));
    }
    if (!dryRun) await settleEnded(parts);
  }
  const report = { removalHeld, dryRun, adopted, unexplained, problems };
  parts.log.info(report, "compared the catalog with the keys of the store");
  return report;
}

/** One blob that cannot be looked at must not keep the others from it. */
async function attempt(work: () => Promise<BlobFindings>): Promise<BlobFindings> {
  try {
    return await work();
  } catch (error) {
    return { adoption: undefined, unexplained: [], problem: asError(error).message };
  }
}

async function* endedBlobs(
  parts: EngineParts,
): AsyncIterable<{ readonly blobId: string; readonly upload: string | undefined }> {
  for (let after = ""; ;) {
    const page = await parts.catalog.listBlobs(after, 100);
    for (const { blobId, upload } of page) {
      if (upload?.state !== "open") yield { blobId, upload: upload?.id };
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.blobId;
  }
}

/** Under its lease: nobody else makes keys of this blob that could be committed. */
async function repairOpen(parts: EngineParts, id: string, dryRun: boolean): Promise<BlobFindings> {
  if (dryRun) {
    const upload = await parts.catalog.findUpload(id);
    if (upload?.state !== "open") return nothingFound;
    const { plan } = await planFor(parts, upload);
    return findingsOf(upload, plan);
  }
  const lease = await parts.leases.take(id);
  try {
    const { upload } = lease;
    if (upload.state !== "open") return nothingFound;
    const { plan, keys } = await planFor(parts, upload);
    const findings = findingsOf(upload, plan);
    if (findings.adoption !== undefined) await adopt(parts, lease, plan);
    await settleEpochs(parts, upload, { keys, unexplained: plan.unexplained });
    return findings;
  } finally {
    await lease.release();
  }
}

/** Asks for the lease only where there is something to do: whoever holds it is made to let go. */
async function completeRepaired(parts: EngineParts, id: string): Promise<BlobFindings> {
  const upload = await parts.catalog.findUpload(id);
  if (upload !== undefined && lacksCompletion(upload)) await completeLeftOpen(parts, id);
  return nothingFound;
}

const nothingFound: BlobFindings = { adoption: undefined, unexplained: [], problem: undefined };

async function planFor(
  parts: EngineParts,
  { blobId, offset, length, lengthMax }: Upload,
): Promise<{ readonly plan: RepairPlan; readonly keys: readonly BlobKey[] }> {
  const keys = await keysOf(parts, blobId);
  const extents = await parts.catalog.listExtents(blobId);
  const epochs = await parts.catalog.listEpochs(blobId);
  return { plan: planRepair({ extents, offset, length: length ?? lengthMax, epochs, keys }), keys };
}

function findingsOf(upload: Upload, plan: RepairPlan): BlobFindings {
  const unexplained = plan.unexplained.map(({ key }) => key);
  const { problem } = plan;
  if (plan.added.length === 0) return { adoption: undefined, unexplained, problem };
  const adoption = {
    blob: upload.blobId,
    upload: upload.id,
    from: upload.offset,
    to: plan.offset,
    keys: plan.added.map(({ key }) => key),
  };
  return { adoption, unexplained, problem };
}

async function adopt(
  parts: EngineParts,
  { fence, upload }: { readonly fence: string; readonly upload: Upload },
  plan: RepairPlan,
): Promise<void> {
  for (const extent of plan.added) {
    if (!(await parts.blobs.isWhole(extent))) throw new Error(`${extent.key} is not whole`);
  }
  const at = parts.clock.now();
  const { to, length, ending } = await reached(parts, upload, plan);
  const outcome = await parts.catalog.advance({
    id: upload.id,
    blobId: upload.blobId,
    fence,
    from: upload.offset,
    to,
    length,
    crc32: crc32OfRuns(plan.extents ?? []),
    extents: plan.added,
    replaced: plan.replaced,
    at,
    expiresAt:
      ending?.state === "complete" ? ending.completion.handleExpiresAt : at + upload.lifetimeMs,
    ending,
  });
  if (outcome === "stale") throw new Error("somebody else went on with it");
}

/** Keys are made of a concatenation only once it is complete, and then of all of it. */
async function reached(
  parts: EngineParts,
  upload: Upload,
  { offset: to, added }: RepairPlan,
): Promise<Pick<Advance, "to" | "length" | "ending">> {
  if (upload.concatenates === undefined) return { to, ending: undefined };
  const whole = { ...upload, offset: to, length: to };
  const content = { extents: added, head: new Uint8Array() };
  return { to, length: to, ending: await endingOf(parts, whole, content) };
}
