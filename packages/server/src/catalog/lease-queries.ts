import { sql, type CompiledQuery } from "kysely";
import { compiled, databaseNow, nobodyHolds, postgresText as db } from "./postgres-text.ts";

/** Statements about who holds what, where several nodes share a catalog. */

export interface Take {
  readonly id: string;
  readonly fence: string;
  readonly node: string;
}

/** Takes an upload that is free, ours already, or held by a node that is dead. */
export function takeLease({ id, fence, node }: Take) {
  return db
    .updateTable("uploads")
    .set({ fence, holder: node, wanted_at: null })
    .where("id", "=", id)
    .where(sql<boolean>`(holder = ${node} or ${nobodyHolds})`)
    .returningAll();
}

/** Asks the holder to let go, once, and tells whether there is such an upload at all. */
export function askForLease(id: string, channel: string): CompiledQuery<{ found: boolean }> {
  return compiled(sql`
    with asked as (
      update uploads set wanted_at = ${databaseNow}
      where id = ${id} and fence is not null and wanted_at is null returning id
    )
    select exists (select 1 from uploads where id = ${id}) as found,
      (select pg_notify(${channel}, 'wanted ' || id) from asked) as told
  `);
}

/** Lets go, and says so when somebody waits. */
export function releaseLease({ id, fence }: Omit<Take, "node">, channel: string): CompiledQuery {
  return compiled(sql`
    with seen as materialized (
      select id, wanted_at from uploads where id = ${id} and fence = ${fence}
    ),
    freed as (
      update uploads set fence = null, holder = null, wanted_at = null
      from seen where uploads.id = seen.id and uploads.fence = ${fence}
      returning seen.id, seen.wanted_at
    )
    select pg_notify(${channel}, 'free ' || id) from freed where wanted_at is not null
  `);
}

/** Says that an upload is free which ended under its holder. */
export function tellFree(id: string, channel: string): CompiledQuery {
  return compiled(sql`select pg_notify(${channel}, ${`free ${id}`})`);
}

/** Those of the uploads that a living node holds which is not this one. */
export function heldByOthers(node: string, ids: readonly string[]) {
  return db
    .selectFrom("uploads")
    .select("id")
    .where("id", "in", ids)
    .where("holder", "!=", node)
    .where(sql<boolean>`not ${nobodyHolds}`);
}

export interface OwnLease {
  readonly id: string;
  readonly fence: string;
  readonly wanted_at: number | null;
}

export function ownLeases(node: string): CompiledQuery<OwnLease> {
  return compiled(sql`select id, fence, wanted_at from uploads
    where holder = ${node} and fence is not null`);
}

export function beat(node: string): CompiledQuery {
  return compiled(sql`insert into nodes (id, beat_at) values (${node}, ${databaseNow})
    on conflict (id) do update set beat_at = excluded.beat_at`);
}

/** Rows that say nothing any more: the node is as dead without. */
export function forgetSilentNodes(silentMs: number): CompiledQuery {
  return compiled(
    sql`delete from nodes where beat_at < ${databaseNow} - cast(${silentMs} as bigint)`,
  );
}

/** A node that ends in order leaves nothing that anybody has to wait for. */
export function leaveAll(node: string): CompiledQuery {
  return compiled(sql`
    with gone as (delete from nodes where id = ${node})
    update uploads set fence = null, holder = null, wanted_at = null where holder = ${node}
  `);
}
