import type { Command } from "commander";
import { migrateCatalog } from "../service/storage.ts";
import { storageCommand, storageConfigOf, type AdminFlags } from "./admin-command.ts";
import { runClientCommand } from "./client-command.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { printFields } from "./fields.ts";

/** `hawser migrate`. */
export function migrateCommand(): Command {
  return storageCommand("migrate", "bring a catalog's schema up to date", examples).action(
    (flags: AdminFlags) =>
      runClientCommand(flags, async () => {
        const { catalogUrl } = storageConfigOf(flags);
        if (catalogUrl === undefined) {
          const hint = "Name it with --catalog or HAWSER_CATALOG.";
          throw new CommandError(exitCodes.usage, "there is no catalog in Postgres", hint);
        }
        const applied = await migrateCatalog(catalogUrl);
        printFields({ applied: applied.length, migrations: applied }, flags.json === true);
        return exitCodes.ok;
      }),
  );
}

const examples = `
A catalog in Postgres is brought up to date by this command, or by hawser serve --migrate; however
many run at once, each step is taken once. A catalog in the data directory needs neither: it is
brought up to date when it is opened.

Examples:
  hawser migrate --catalog postgres://hawser@db.example.com/hawser
  HAWSER_CATALOG=postgres://hawser@db.example.com/hawser hawser migrate --json
`;
