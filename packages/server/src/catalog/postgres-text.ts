import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type CompiledQuery,
  type RawBuilder,
} from "kysely";
import type { Schema } from "./schema.ts";

/** Builds statements and runs none. */
export const postgresText = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** A statement written out; the caller says what rows it has. */
export function compiled<Row>(statement: RawBuilder<unknown>): CompiledQuery<Row> {
  return statement.compile(postgresText);
}

/** Nodes are compared by one clock only: the database's, in epoch milliseconds. */
export const databaseNow = sql<number>`cast(extract(epoch from now()) * 1000 as bigint)`;

/** A node that has not beaten for so long is taken for dead: its leases are anybody's. */
const silentMsMax = 2_000;

/** True of uploads that no living node is writing. */
export const nobodyHolds = sql<boolean>`(uploads.fence is null or not exists (
  select 1 from nodes where nodes.id = uploads.holder
  and nodes.beat_at > ${databaseNow} - ${sql.lit(silentMsMax)}))`;
