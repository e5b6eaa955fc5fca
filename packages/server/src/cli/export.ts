import type { Command } from "commander";
import { exportTo } from "../service/compose.ts";
import { offlineCommand, storageConfigOf, type AdminFlags } from "./admin-command.ts";
import { runClientCommand } from "./client-command.ts";
import { exitCodes } from "./exit-codes.ts";
import { printFields } from "./fields.ts";

/** `hawser export DIRECTORY`. */
export function exportCommand(): Command {
  return offlineCommand("export", "write a whole deployment to a directory", examples)
    .argument("<directory>", "where to write it; it must be empty or new")
    .action((directory: string, flags: AdminFlags) =>
      runClientCommand(flags, async () => {
        printFields(await exportTo(storageConfigOf(flags), directory), flags.json === true);
        return exitCodes.ok;
      }),
    );
}

const examples = `
Apps, tokens (as hashes), uploads and their bytes, as catalog.ndjson and one file a blob. Stop the
server first. The deployment's key is not part of it: give HAWSER_KEY (or the file "key" of the data
directory) to whoever reads it in, without which no app secret, id or handle can be checked.

Examples:
  hawser export --data /srv/hawser /backup/hawser
  HAWSER_KEY="$(tr '\\n' ',' < /srv/hawser/key | sed 's/,*$//')" hawser import \\
    --catalog postgres://db/hawser --blobs 's3://uploads?region=eu-central-1' /backup/hawser`;
