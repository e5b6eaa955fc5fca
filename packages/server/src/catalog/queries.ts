import {
  sql,
  type Expression,
  type Kysely,
  type RawBuilder,
  type SelectQueryBuilder,
} from "kysely";
import type { EndUpload, OpenQuery, UploadQuery } from "./catalog.ts";
import { fileDeleted, type Extent, type Upload } from "./records.ts";
import type { Schema } from "./schema.ts";

/** Statements about uploads and their blobs: one text for both dialects. */

export function endUpload(db: Kysely<Schema>, ending: EndUpload) {
  return db
    .updateTable("uploads")
    .set({ state: ending.state, reason: ending.reason ?? null, updated_at: ending.at })
    .where("id", "=", ending.id)
    .where("state", "in", ending.from ?? ["open"]);
}

/** Whoever adds which of them. */
export function expireUploads(db: Kysely<Schema>, now: number) {
  return db
    .updateTable("uploads")
    .set({ state: "expired", updated_at: now })
    .where("state", "in", ["open", "complete"])
    .where("expires_at", "<=", now);
}

/** After its file was removed; whoever adds which upload. */
export function unpublishUpload(db: Kysely<Schema>, at: number) {
  return db
    .updateTable("uploads")
    .set({ state: "expired", reason: fileDeleted, updated_at: at, file_id: null });
}

export function removeEndedUploads(db: Kysely<Schema>, before: number) {
  return db
    .deleteFrom("uploads")
    .where("state", "in", ["cancelled", "expired", "rejected"])
    .where("updated_at", "<", before)
    .returning("id");
}

/** Dooms the keys of these blobs. */
export function doomKeys(db: Kysely<Schema>, blobs: Expression<string>, at: number) {
  return doom(db, keysOf(blobs), at);
}

export function keysOf(blobs: Expression<string>): RawBuilder<unknown> {
  return sql`select key from extents where blob_id in ${blobs}`;
}

/**
 * Dooms the keys that `keys` selects, which may be the same more than once. One that is doomed
 * already was named all the same until now, and its time counts from now on.
 */
export function doom(db: Kysely<Schema>, keys: Expression<unknown>, at: number) {
  return db
    .insertInto("doomed_keys")
    .columns(["key", "doomed_at"])
    .expression(
      sql`select distinct key, cast(${at} as bigint) from (${keys}) as named where key != ''`,
    )
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ doomed_at: at }));
}

export function forgetExtents(db: Kysely<Schema>, blobs: Expression<string>) {
  return db.deleteFrom("extents").where("blob_id", "in", blobs);
}

/** Forgets those extents of a blob whose bytes another one holds by now. */
export function forgetReplaced(db: Kysely<Schema>, blobId: string, starts: readonly number[]) {
  return db.deleteFrom("extents").where("blob_id", "=", blobId).where("start", "in", starts);
}

/** What becomes of replaced extents: rows to forget by their start, and keys to doom. */
export function leftBehind({
  extents,
  replaced,
}: {
  readonly extents: readonly Extent[];
  readonly replaced: readonly Extent[];
}): { readonly starts: number[]; readonly keys: string[] } {
  const kept = new Set(extents.map(({ start }) => start));
  return {
    starts: replaced.map(({ start }) => start).filter((start) => !kept.has(start)),
    keys: replaced.map(({ key }) => key).filter((key) => key !== ""),
  };
}

export interface ExpiringQuery {
  readonly now: number;
  readonly limit: number;
  /** The last upload of the page before. */
  readonly after: Upload | undefined;
}

/** The longest due first; ids break ties. */
export function expiring(db: Kysely<Schema>, { now, limit, after }: ExpiringQuery) {
  const later =
    after === undefined
      ? sql<boolean>`1 = 1`
      : sql<boolean>`(expires_at, id) > (${after.expiresAt}, ${after.id})`;
  return (
    db
      .selectFrom("uploads")
      .selectAll()
      .where("state", "in", ["open", "complete"])
      .where("expires_at", "<=", now)
      .where(later)
      // A completion that a crash left undone is completed, never expired.
      .where((where) =>
        where.or([
          where("state", "=", "complete"),
          where("completes", "=", "when_told"),
          where("length", "is", null),
          where("offset", "<", sql.ref<number>("length")),
        ]),
      )
      .orderBy("expires_at")
      .orderBy("id")
      .limit(limit)
  );
}

export function bytesStillDue(db: Kysely<Schema>, since: number) {
  return db
    .selectFrom("uploads")
    .select(sql<number | null>`sum(length - "offset")`.as("bytes"))
    .where("state", "=", "open")
    .where("updated_at", ">=", since);
}

/** From the apps on: whatever the other apps have published is not looked at. */
export function undigestedFiles(db: Kysely<Schema>, limit: number) {
  return db
    .selectFrom("apps")
    .innerJoin("files", "files.app_id", "apps.id")
    .selectAll("files")
    .where("apps.digest_policy", "=", "on_publish")
    .where("files.sha256", "is", null)
    .limit(limit);
}

export function uploadsPage(db: Kysely<Schema>, query: UploadQuery) {
  const page = pageAfter(db.selectFrom("uploads").selectAll(), "uploads", query);
  return query.state === undefined ? page : page.where("state", "=", query.state);
}

/** Along the index of states and changes, from its end. */
export function openPage(db: Kysely<Schema>, { appId, after, limit }: OpenQuery) {
  const all = db.selectFrom("uploads").selectAll().where("state", "=", "open");
  const own = appId === undefined ? all : all.where("app_id", "=", appId);
  const earlier =
    after === undefined
      ? own
      : own
          .where("updated_at", "<=", after.updatedAt)
          .where(sql<boolean>`(updated_at, id) < (${after.updatedAt}, ${after.id})`);
  return earlier.orderBy("updated_at", "desc").orderBy("id", "desc").limit(limit);
}

export function countsOfStates(db: Kysely<Schema>) {
  return db
    .selectFrom("uploads")
    .select(["state", sql<number>`count(*)`.as("count")])
    .groupBy("state");
}

export function filesPage(db: Kysely<Schema>, query: Omit<UploadQuery, "state">) {
  return pageAfter(db.selectFrom("files").selectAll(), "files", query);
}

/** Newest first; ids break ties, so a page neither skips nor repeats. */
function pageAfter<Table extends "uploads" | "files", Row>(
  select: SelectQueryBuilder<Schema, Table, Row>,
  table: Table,
  query: Omit<UploadQuery, "state">,
): SelectQueryBuilder<Schema, Table, Row> {
  const column = (name: string) => sql.ref(`${table}.${name}`);
  const after =
    query.after === undefined
      ? sql<boolean>`1 = 1`
      : sql<boolean>`(${column("created_at")}, ${column("id")}) <
          (${query.after.createdAt}, ${query.after.id})`;
  return select
    .where(sql<boolean>`${column("app_id")} = ${query.appId}`)
    .where(after)
    .orderBy(column("created_at"), "desc")
    .orderBy(column("id"), "desc")
    .limit(query.limit);
}
