import { PostgresAdapter, sql, type Kysely, type RawBuilder } from "kysely";

/** The column type of bytes, the only one whose name differs between the dialects. */
export function binaryType(db: Kysely<unknown>): RawBuilder<unknown> {
  return db.getExecutor().adapter instanceof PostgresAdapter ? sql`bytea` : sql`blob`;
}
