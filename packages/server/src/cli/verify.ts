import type { Command } from "commander";
import { z } from "zod";
import type { AdminFlags } from "./admin-command.ts";
import { adminCommand, runAdminCommand } from "./admin-command.ts";
import { exitCodes } from "./exit-codes.ts";
import { printFields } from "./fields.ts";

/** `hawser verify`. */
export function verifyCommand(): Command {
  return adminCommand("verify", "read every stored byte and compare checksums", examples).action(
    (flags: AdminFlags) =>
      runAdminCommand(flags, async (administration) => {
        const result = await administration.verify();
        printFields(result, flags.json === true);
        return isDamaged(result) ? exitCodes.failed : exitCodes.ok;
      }),
  );
}

const examples = `
Examples:
  hawser verify
  hawser verify --json | jq .damaged`;

const resultSchema = z.object({ damaged: z.union([z.number(), z.array(z.unknown())]) });

/** A result that does not say is an error: silence must not pass for health. */
function isDamaged(result: object): boolean {
  const { damaged } = resultSchema.parse(result);
  return (typeof damaged === "number" ? damaged : damaged.length) > 0;
}
