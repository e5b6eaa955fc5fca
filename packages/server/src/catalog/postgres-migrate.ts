import { Kysely, PostgresDialect } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";
import { asError } from "../base/errors.ts";
import { migrations } from "./migrations/migrations.ts";
import { postgresTypes } from "./postgres-types.ts";

/** Any number that no other program is likely to lock. */
const migrationLock = 7_315_846_912;

/** What a role may bring along for the connections of nodes. */
const limitsOfWaiting = [
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
] as const;

/**
 * Brings the schema up to date; of many that start at once one does the work and the others wait
 * for it. Returns the names of the steps that were taken. Migrations take the time they take: nothing here is bounded but the way to the server.
 */
export async function migratePostgres(url: string): Promise<readonly string[]> {
  const options = { connectionString: url, types: postgresTypes, connectionTimeoutMillis: 10_000 };
  const lock = new pg.Client(options);
  await lock.connect();
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ ...options, max: 1 }) }),
  });
  try {
    // Within a transaction, so that a pooler leaves the lock to nobody else's connection.
    await lock.query("begin");
    for (const name of limitsOfWaiting) await lock.query(`set local ${name} = 0`);
    await lock.query("select pg_advisory_xact_lock($1)", [migrationLock]);
    const provider = { getMigrations: () => Promise.resolve(migrations) };
    const { error, results } = await new Migrator({ db, provider }).migrateToLatest();
    if (error !== undefined) {
      throw new Error("the catalog's schema could not be brought up to date", {
        cause: asError(error),
      });
    }
    return results?.map(({ migrationName }) => migrationName) ?? [];
  } finally {
    await db.destroy();
    await lock.end();
  }
}
