import type { EngineParts } from "./parts.ts";
import type { CatalogGuard } from "./removal-guard.ts";
import { repair, type RepairReport } from "./repair.ts";

export interface RepairWish {
  readonly dryRun: boolean;
  /** An operator says so: without a sweep since the backup nothing else may show it. */
  readonly restored: boolean;
  /** Afterwards bytes may be removed again on the catalog's word. */
  readonly go: boolean;
  /** Also where problems are left: what lies in the store of those blobs may be lost by it. */
  readonly despiteProblems: boolean;
}

export interface RepairOutcome extends RepairReport {
  /** Whether this allowed bytes to be removed again. */
  readonly removalAllowed: boolean;
}

/**
 * Repairs, and lets bytes be removed again if that is wished. A blob with a problem may have its
 * only copy under keys that no row names yet: those would be removed, so that it comes first.
 */
export async function repairAndGo(
  parts: EngineParts,
  guard: Pick<CatalogGuard, "allow" | "hold"> | undefined,
  { dryRun, restored, go, despiteProblems }: RepairWish,
): Promise<RepairOutcome> {
  if (restored && !dryRun && (await parts.removalGuard.refusal()) === undefined) {
    await guard?.hold("an operator said that the catalog was restored");
  }
  const report = await repair(parts, { dryRun });
  const removalAllowed = go && !dryRun && (despiteProblems || report.problems.length === 0);
  if (removalAllowed) await guard?.allow();
  return { ...report, removalAllowed };
}
