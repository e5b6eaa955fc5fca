import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { PostgresPool } from "./postgres-pool.ts";
import { migrations } from "./migrations/migrations.ts";
import { compiled } from "./postgres-text.ts";

/** Refuses a server that may forget what it has acknowledged, and says what to change. */
export async function refuseForgetfulServer(pool: PostgresPool): Promise<void> {
  const names = ["fsync", "full_page_writes", "synchronous_commit"] as const;
  const values = names.map((name) => sql`current_setting(${name}) as ${sql.ref(name)}`);
  const { rows } = await pool.run(
    compiled<Record<(typeof names)[number], string>>(sql`select ${sql.join(values)}`),
  );
  const [found] = rows;
  if (found === undefined) throw new Error("Postgres does not tell its settings");
  const wrong = [
    ...(["fsync", "full_page_writes"] as const).filter((name) => found[name] !== "on"),
    ...(["on", "remote_apply"].includes(found.synchronous_commit) ? [] : ["synchronous_commit"]),
  ];
  if (wrong.length === 0) return;
  throw new Error(
    `Postgres could lose what Hawser has acknowledged: set ${wrong
      .map((name) => `${name} = on`)
      .join(" and ")} in postgresql.conf (and for this role and database) and reload it`,
  );
}

/** Refuses a schema of a later version, and one that is not up to date. */
export async function refuseOtherSchema(pool: PostgresPool): Promise<void> {
  const { rows: tables } = await pool.run(
    compiled<{ found: string | null }>(sql`select to_regclass('kysely_migration')::text as found`),
  );
  const done =
    (tables[0]?.found ?? null) === null
      ? []
      : (await pool.run(compiled<{ name: string }>(sql`select name from kysely_migration`))).rows;
  const found = new Set(done.map(({ name }) => name));
  const unknown = [...found].filter((name) => !(name in migrations));
  if (unknown.length > 0) {
    throw new Error(
      `the catalog was made by a later version of Hawser (${unknown.sort().join(", ")}): use that`,
    );
  }
  if (Object.keys(migrations).some((name) => !found.has(name))) {
    throw new Error('the catalog\'s schema is not up to date: run "hawser migrate"');
  }
}

/**
 * Names this server's history: a copy that goes its own way, restored or promoted, has another.
 * The timeline comes from where the log is written now; a checkpoint knows it only later.
 */
export async function readIdentity(pool: PostgresPool): Promise<string> {
  const { rows } = await pool.run(
    compiled<{ system: string; timeline: number }>(sql`
      select
        (select system_identifier::text from pg_control_system()) as system,
        greatest(
          (select timeline_id from pg_control_checkpoint())::bigint,
          ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint
        ) as timeline
    `),
  );
  const [found] = rows;
  if (found === undefined) throw new Error("Postgres does not tell its identity");
  return `${found.system}/${found.timeline}`;
}

/** Channels are a database's, not a schema's: deployments that share one must not hear each other. */
export async function channelOf(pool: PostgresPool): Promise<string> {
  const { rows } = await pool.run(compiled<{ name: string }>(sql`select current_schema() as name`));
  const hash = createHash("sha256").update(rows[0]?.name ?? "");
  return `hawser_${hash.digest("hex").slice(0, 16)}`;
}
