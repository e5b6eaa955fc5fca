import { sql, type Kysely } from "kysely";

/**
 * Two more settings of an app, and an index for what each of them asks of the rows. All indexes are
 * of few rows: an append, the most frequent change, touches none of them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("apps")
    .addColumn("digest_policy", "text", (column) => column.notNull().defaultTo("on_request"))
    .execute();
  await db.schema.alterTable("apps").addColumn("room_bytes_max", "bigint").execute();
  await db.schema.createIndex("apps_by_digest_policy").on("apps").column("digest_policy").execute();
  await db.schema
    .createIndex("files_undigested")
    .on("files")
    .column("app_id")
    .where(sql.ref("sha256"), "is", null)
    .execute();
  await db.schema
    .createIndex("uploads_open_by_app")
    .on("uploads")
    .column("app_id")
    .where(sql.ref("state"), "=", "open")
    .execute();
}
