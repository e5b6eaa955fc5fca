import type { DatabaseSync } from "node:sqlite";
import { Migrator } from "kysely/migration";
import { asError } from "../base/errors.ts";
import { migrations } from "./migrations/migrations.ts";
import { kyselyOver } from "./sqlite-kysely.ts";

/** Runs the migrations that this database has not seen; refuses a schema from a later version. */
export async function migrate(database: DatabaseSync): Promise<void> {
  const migrator = new Migrator({
    db: kyselyOver(database),
    provider: { getMigrations: () => Promise.resolve(migrations) },
  });
  // One transaction around all of it: a crash leaves the old schema, never half of a new one.
  database.exec("begin immediate");
  try {
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw asError(error);
    database.exec("commit");
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw new Error("the catalog's schema could not be brought up to date", { cause: error });
  }
}
