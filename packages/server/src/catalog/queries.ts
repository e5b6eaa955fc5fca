import type { SQLInputValue } from "node:sqlite";
import { sql, type Compilable, type Kysely, type SelectQueryBuilder } from "kysely";
import type { Advance, EndUpload, UploadQuery } from "./catalog.ts";
import type { Upload } from "./records.ts";
import type { HotQueries } from "./hot-queries.ts";
import type { Schema } from "./schema.ts";
import type { Step } from "./sqlite-messages.ts";

/** A compiled statement as a step of a change. */
export function step(query: Compilable, changesAtLeast = 0): Step {
  const { sql: text, parameters } = query.compile();
  // Kysely passes parameters through untouched, and the schema's columns are SQLite's inputs.
  return { sql: text, parameters: parameters as SQLInputValue[], changesAtLeast };
}

export function advanceSteps(hot: HotQueries, db: Kysely<Schema>, advance: Advance): Step[] {
  const { ending } = advance;
  const replaced = replaceSteps(db, advance);
  if (ending?.state !== "rejected") return [...hot.advance(advance, ending), ...replaced];
  const reject = db
    .updateTable("uploads")
    .set({ state: "rejected", reason: ending.reason })
    .where("id", "=", advance.id)
    .where("state", "=", "open");
  return [
    ...hot.advance(advance, undefined),
    ...replaced,
    step(reject, 1),
    ...doomSteps(db, advance.blobId, advance.at),
  ];
}

/** Forgets extents whose bytes another one holds by now; their keys are doomed. */
function replaceSteps(
  db: Kysely<Schema>,
  { blobId, extents, replaced, at }: Pick<Advance, "blobId" | "extents" | "replaced" | "at">,
): Step[] {
  if (replaced.length === 0) return [];
  const kept = new Set(extents.map(({ start }) => start));
  const starts = replaced.map(({ start }) => start).filter((start) => !kept.has(start));
  const keys = replaced.map(({ key }) => key).filter((key) => key !== "");
  const forget = db
    .deleteFrom("extents")
    .where("blob_id", "=", blobId)
    .where("start", "in", starts);
  const doom = db
    .insertInto("doomed_keys")
    .values(keys.map((key) => ({ key, doomed_at: at })))
    .onConflict((conflict) => conflict.column("key").doNothing());
  return [...(starts.length > 0 ? [step(forget)] : []), ...(keys.length > 0 ? [step(doom)] : [])];
}

export function endSteps(db: Kysely<Schema>, ending: EndUpload): Step[] {
  const end = db
    .updateTable("uploads")
    .set({ state: ending.state, reason: ending.reason ?? null, updated_at: ending.at })
    .where("id", "=", ending.id)
    .where("state", "=", "open");
  // A damaged upload keeps its bytes: somebody will want to look at what is left of them.
  const doom = ending.state === "damaged" ? [] : doomSteps(db, ending.blobId, ending.at);
  return [step(end, 1), ...doom];
}

export function expireSteps(db: Kysely<Schema>, upload: Upload, now: number): Step[] {
  const expire = db
    .updateTable("uploads")
    .set({ state: "expired", updated_at: now })
    .where("id", "=", upload.id)
    .where("state", "in", ["open", "complete"])
    .where("expires_at", "<=", now);
  return [step(expire, 1), ...doomSteps(db, upload.blobId, now)];
}

/** Dooms a blob's keys and forgets its extents, unless a file still shows it. */
export function doomSteps(db: Kysely<Schema>, blobId: string, at: number): Step[] {
  const unpublished = sql<boolean>`not exists (select 1 from files where blob_id = ${blobId})`;
  const doom = db
    .insertInto("doomed_keys")
    .columns(["key", "doomed_at"])
    .expression(
      db
        .selectFrom("extents")
        .select(["key", sql<number>`${at}`.as("doomed_at")])
        .where("blob_id", "=", blobId)
        .where("key", "!=", "")
        .where(unpublished),
    )
    .onConflict((conflict) => conflict.column("key").doNothing());
  const forget = db.deleteFrom("extents").where("blob_id", "=", blobId).where(unpublished);
  return [step(doom), step(forget)];
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
          (select created_at, id from ${sql.table(table)} where id = ${query.after})`;
  return select
    .where(sql<boolean>`${column("app_id")} = ${query.appId}`)
    .where(after)
    .orderBy(column("created_at"), "desc")
    .orderBy(column("id"), "desc")
    .limit(query.limit);
}
