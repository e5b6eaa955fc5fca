import { sql, type Kysely } from "kysely";

/** What several nodes need to know of each other, and what a store of many keys leaves behind. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ["fence", "holder", "file_id"]) {
    await db.schema.alterTable("uploads").addColumn(column, "text").execute();
  }
  await db.schema.alterTable("uploads").addColumn("wanted_at", "bigint").execute();
  await sql`update uploads set file_id = (select id from files where upload_id = uploads.id)`.execute(
    db,
  );
  await db.schema.createIndex("uploads_by_holder").on("uploads").column("holder").execute();
  await db.schema
    .createTable("nodes")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("beat_at", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("epochs")
    .addColumn("fence", "text", (column) => column.primaryKey())
    .addColumn("blob_id", "text", (column) => column.notNull())
    .addColumn("upload_id", "text")
    .addColumn("base", "bigint", (column) => column.notNull())
    .addColumn("opened_at", "bigint", (column) => column.notNull())
    .addColumn("closed_at", "bigint")
    .addColumn("looks", "integer", (column) => column.notNull())
    .addColumn("look_at", "bigint")
    .execute();
  await db.schema.createIndex("epochs_by_blob").on("epochs").column("blob_id").execute();
  await db.schema
    .createIndex("epochs_by_closing")
    .on("epochs")
    .columns(["closed_at", "look_at"])
    .execute();
  await db.schema
    .createTable("assemblies")
    .addColumn("blob_id", "text", (column) => column.primaryKey())
    .addColumn("nonce", "text")
    .addColumn("due_at", "bigint", (column) => column.notNull())
    .addColumn("tries", "integer", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("assemblies_by_time").on("assemblies").column("due_at").execute();
}
