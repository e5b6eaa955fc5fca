import type { Kysely } from "kysely";
import { binaryType } from "./binary-type.ts";

/** Integers that may pass 2^31 are `bigint`: SQLite does not care, Postgres does. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createUploads(db);
  await createBlobTables(db);
  await createAccess(db);
  await db.schema
    .createTable("marks")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("value", "text", (column) => column.notNull())
    .execute();
}

async function createUploads(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("uploads")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("app_id", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("length", "bigint", (column) => column.notNull())
    .addColumn("offset", "bigint", (column) => column.notNull())
    .addColumn("crc32", "bigint", (column) => column.notNull())
    .addColumn("blob_id", "text", (column) => column.notNull())
    .addColumn("creation", "text", (column) => column.notNull())
    .addColumn("content_policy", "text", (column) => column.notNull())
    .addColumn("lifetime_ms", "bigint", (column) => column.notNull())
    .addColumn("handle_lifetime_ms", "bigint", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("updated_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .addColumn("completed_at", "bigint")
    .addColumn("handle_expires_at", "bigint")
    .addColumn("handle_nonce", "text")
    .addColumn("reason", "text")
    .execute();
  const index = (name: string, columns: string[]): Promise<void> =>
    db.schema.createIndex(name).on("uploads").columns(columns).execute();
  await index("uploads_by_app", ["app_id", "created_at", "id"]);
  await index("uploads_by_expiry", ["state", "expires_at"]);
  await index("uploads_by_change", ["state", "updated_at"]);
  await index("uploads_by_blob", ["blob_id"]);
}

async function createBlobTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("extents")
    .addColumn("blob_id", "text", (column) => column.notNull())
    .addColumn("start", "bigint", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("length", "bigint", (column) => column.notNull())
    .addColumn("crc32", "bigint", (column) => column.notNull())
    .addColumn("inline", binaryType(db))
    .addPrimaryKeyConstraint("extents_primary", ["blob_id", "start"])
    .execute();
  await db.schema.createIndex("extents_by_key").on("extents").column("key").execute();
  await db.schema
    .createTable("files")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("app_id", "text", (column) => column.notNull())
    .addColumn("upload_id", "text", (column) => column.notNull().unique())
    .addColumn("blob_id", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("description", "text")
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("size", "bigint", (column) => column.notNull())
    .addColumn("crc32", "bigint", (column) => column.notNull())
    .addColumn("sha256", "text")
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("files_by_app")
    .on("files")
    .columns(["app_id", "created_at", "id"])
    .execute();
  await db.schema.createIndex("files_by_blob").on("files").column("blob_id").execute();
  await db.schema
    .createTable("doomed_keys")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("doomed_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("doomed_keys_by_time")
    .on("doomed_keys")
    .column("doomed_at")
    .execute();
}

async function createAccess(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("apps")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("sealed_secret", binaryType(db), (column) => column.notNull())
    .addColumn("types", "text", (column) => column.notNull())
    .addColumn("length_max", "bigint", (column) => column.notNull())
    .addColumn("lifetime_ms", "bigint", (column) => column.notNull())
    .addColumn("content_policy", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("tokens")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("hash", binaryType(db), (column) => column.notNull().unique())
    .addColumn("app_id", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("scopes", "text", (column) => column.notNull())
    .addColumn("label", "text", (column) => column.notNull())
    .addColumn("created_at", "bigint", (column) => column.notNull())
    .addColumn("expires_at", "bigint")
    .addColumn("revoked_at", "bigint")
    .execute();
}
