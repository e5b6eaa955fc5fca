import type { Command } from "commander";
import { importFrom } from "../service/compose.ts";
import { offlineCommand, storageConfigOf, type AdminFlags } from "./admin-command.ts";
import { runClientCommand } from "./client-command.ts";
import { exitCodes } from "./exit-codes.ts";
import { printFields } from "./fields.ts";

/** `hawser import DIRECTORY`. */
export function importCommand(): Command {
  return offlineCommand("import", "read a deployment in that hawser export wrote", examples)
    .argument("<directory>", "what hawser export wrote")
    .action((directory: string, flags: AdminFlags) =>
      runClientCommand(flags, async () => {
        printFields(await importFrom(storageConfigOf(flags), directory), flags.json === true);
        return exitCodes.ok;
      }),
    );
}

const examples = `
Every file is checked against its CRC-32. An import that was broken off can be begun again: what is
there already is left as it is. Uploads that were open go on where they were.

Examples:
  hawser import --data /srv/hawser /backup/hawser
  HAWSER_KEY=... hawser import --catalog postgres://db/hawser \\
    --blobs 's3://uploads?region=eu-central-1' /backup/hawser`;
