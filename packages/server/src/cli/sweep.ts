import type { Command } from "commander";
import type { AdminFlags } from "./admin-command.ts";
import { adminCommand, runAdminCommand } from "./admin-command.ts";
import { exitCodes } from "./exit-codes.ts";
import { printFields } from "./fields.ts";

interface SweepFlags extends AdminFlags {
  readonly dryRun?: boolean;
}

/** `hawser sweep [--dry-run]`. */
export function sweepCommand(): Command {
  return adminCommand("sweep", "expire uploads and remove what nothing needs any more", examples)
    .option("--dry-run", "only tell what would go, of each kind up to 500")
    .action((flags: SweepFlags) =>
      runAdminCommand(flags, async (administration) => {
        const result = await administration.sweep({ dryRun: flags.dryRun === true });
        printFields(result, flags.json === true);
        return exitCodes.ok;
      }),
    );
}

const examples = `
Examples:
  hawser sweep --dry-run
  hawser sweep --json`;
