import { sql, type Kysely } from "kysely";

/** What uploads of other protocols have and Graph's do not: a length that is not known yet, above all. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await allowUnknownLength(db);
  await db.schema
    .alterTable("uploads")
    .addColumn("length_max", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`update uploads set length_max = length`.execute(db);
  await db.schema
    .alterTable("uploads")
    .addColumn("protocol", "text", (column) => column.notNull().defaultTo("graph"))
    .execute();
  await db.schema
    .alterTable("uploads")
    .addColumn("completes", "text", (column) => column.notNull().defaultTo("at_length"))
    .execute();
  for (const column of ["concatenates", "sha256"]) {
    await db.schema.alterTable("uploads").addColumn(column, "text").execute();
  }
}

/** SQLite cannot let a column be null that was made otherwise: another one takes its place. */
async function allowUnknownLength(db: Kysely<unknown>): Promise<void> {
  const uploads = () => db.schema.alterTable("uploads");
  await uploads().addColumn("known_length", "bigint").execute();
  await sql`update uploads set known_length = length`.execute(db);
  await uploads().dropColumn("length").execute();
  await uploads().renameColumn("known_length", "length").execute();
}
