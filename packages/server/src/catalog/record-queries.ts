import { sql, type Expression, type Kysely } from "kysely";
import type { AppUpdate } from "./catalog.ts";
import type { App, PublishedFile, Token } from "./records.ts";
import { appRow, appUpdateRow, fileRow, tokenRow } from "./rows.ts";
import type { FilesTable, Schema } from "./schema.ts";

/** Statements about files, apps, tokens and marks: one text for both dialects. */

const fileColumns = {
  id: "text",
  app_id: "text",
  upload_id: "text",
  blob_id: "text",
  name: "text",
  description: "text",
  type: "text",
  size: "bigint",
  crc32: "bigint",
  sha256: "text",
  created_at: "bigint",
} as const satisfies Record<keyof FilesTable, "text" | "bigint">;

/** Marks a complete upload as published. Its bytes cannot have been doomed, nor be from now on. */
export function publishUpload(db: Kysely<Schema>, file: PublishedFile) {
  return db
    .updateTable("uploads")
    .set({ file_id: file.id })
    .where("id", "=", file.uploadId)
    .where("state", "=", "complete")
    .where("file_id", "is", null);
}

/** Adds the file once for each row of `source`. */
export function insertFile(db: Kysely<Schema>, file: PublishedFile, source: Expression<unknown>) {
  const row = fileRow(file);
  // The keys of a literal are its columns.
  const columns = Object.keys(fileColumns) as (keyof FilesTable)[];
  const values = columns.map(
    (column) => sql`cast(${row[column] ?? null} as ${sql.raw(fileColumns[column])})`,
  );
  return db
    .insertInto("files")
    .columns(columns)
    .expression(sql`select ${sql.join(values)} from ${source}`);
}

export function setFileSha256(db: Kysely<Schema>, id: string, sha256: string) {
  return db.updateTable("files").set({ sha256 }).where("id", "=", id);
}

export function setUploadSha256(db: Kysely<Schema>, id: string, sha256: string) {
  return db
    .updateTable("uploads")
    .set({ sha256 })
    .where("id", "=", id)
    .where("state", "=", "complete")
    .where("sha256", "is", null);
}

export function forgetDoomed(db: Kysely<Schema>, keys: readonly string[]) {
  return db.deleteFrom("doomed_keys").where("key", "in", keys);
}

export function putOffDoomed(db: Kysely<Schema>, keys: readonly string[], at: number) {
  return db.updateTable("doomed_keys").set({ doomed_at: at }).where("key", "in", keys);
}

export function insertApp(db: Kysely<Schema>, app: App) {
  return db
    .insertInto("apps")
    .values(appRow(app))
    .onConflict((conflict) => conflict.column("id").doNothing());
}

/** Sets what is given, and no other column. The id as it is makes a statement of no changes, too. */
export function updateApp(db: Kysely<Schema>, id: string, update: AppUpdate) {
  const changes = { id, ...appUpdateRow(update) };
  return db.updateTable("apps").set(changes).where("id", "=", id);
}

export function insertToken(db: Kysely<Schema>, token: Token) {
  return db.insertInto("tokens").values(tokenRow(token));
}

export function revokeToken(db: Kysely<Schema>, id: string, at: number) {
  return db
    .updateTable("tokens")
    .set({ revoked_at: at })
    .where("id", "=", id)
    .where("revoked_at", "is", null);
}

export function writeMark(db: Kysely<Schema>, name: string, value: string) {
  return db
    .insertInto("marks")
    .values({ name, value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }));
}

/** Of marks that are whole numbers. */
export function raiseMark(db: Kysely<Schema>, name: string, count: number) {
  const value = String(count);
  return db
    .insertInto("marks")
    .values({ name, value })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet({ value })
        .where(sql<boolean>`cast(marks.value as bigint) < ${sql.lit(count)}`),
    );
}

/** Leaves a mark alone that is there. */
export function claimMark(db: Kysely<Schema>, name: string, value: string) {
  return db
    .insertInto("marks")
    .values({ name, value })
    .onConflict((conflict) => conflict.column("name").doNothing());
}
