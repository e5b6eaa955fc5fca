import type { Command } from "commander";
import { repairCatalog } from "../service/compose.ts";
import { offlineCommand, storageConfigOf, type AdminFlags } from "./admin-command.ts";
import { runClientCommand } from "./client-command.ts";
import { exitCodes } from "./exit-codes.ts";
import { printFields } from "./fields.ts";
import { note } from "./output.ts";

interface RepairFlags extends AdminFlags {
  readonly dryRun?: boolean;
  readonly restored?: boolean;
  readonly go?: boolean;
  readonly despiteProblems?: boolean;
}

/** `hawser repair [--dry-run] [--restored] [--go [--despite-problems]]`. */
export function repairCommand(): Command {
  return offlineCommand("repair", "give a restored catalog back what the bucket knows", examples)
    .option("--dry-run", "only tell what would be adopted")
    .option("--restored", "the catalog is from a backup, whether anything shows that or not")
    .option("--go", "afterwards let sweeps remove bytes again on this catalog's word")
    .option("--despite-problems", "with --go: also where problems are left")
    .action((flags: RepairFlags) =>
      runClientCommand(flags, async () => {
        const { dryRun = false, restored = false, go = false, despiteProblems = false } = flags;
        const wish = { dryRun, restored, go, despiteProblems };
        const report = await repairCatalog(storageConfigOf(flags), wish);
        const { removalAllowed } = report;
        const counts = { adopted: report.adopted.length, problems: report.problems.length };
        const unexplained = report.unexplained.length;
        printFields(
          flags.json === true
            ? report
            : {
                removalHeld: report.removalHeld ?? "no",
                ...{ dryRun: report.dryRun, ...counts, unexplained, removalAllowed },
              },
          flags.json === true,
        );
        if (!dryRun && report.dryRun && counts.adopted > 0) note(notTaken);
        if (go && !dryRun && !removalAllowed) note(notAllowed);
        return report.problems.length === 0 ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

const notTaken = `Nothing was taken back: nothing shows that this catalog was restored. If it was, give
--restored.`;

const notAllowed = `Removal is not allowed yet: there are problems, and --json names them. Repair again; if they
stay, cancel those uploads or delete their files, or give --despite-problems with --go.`;

const examples = `
A catalog that was restored from a backup does not know what was committed since; the names of the
objects in the bucket do. Until an operator says --go, a server removes nothing on the word of a
restored catalog, and only so long can it be repaired. It is recognised by a sweep that it does not
know, or another database; give --restored where there may be neither. --go does nothing while there
are problems: bytes whose only copy nothing names yet would be removed.

Examples:
  hawser repair --dry-run --json
  hawser repair --restored
  hawser repair --go`;
