import { sql, type InsertQueryBuilder, type InsertResult, type Kysely } from "kysely";
import type { PromisedRoom } from "./catalog.ts";
import { Prepared, type SlotOf } from "./prepared.ts";
import type { ExtentsTable, Schema, UploadsTable } from "./schema.ts";

const uploadColumns = [
  "id",
  "app_id",
  "user_id",
  "state",
  "name",
  "type",
  "length",
  "length_max",
  "offset",
  "crc32",
  "blob_id",
  "protocol",
  "creation",
  "completes",
  "concatenates",
  "sha256",
  "content_policy",
  "lifetime_ms",
  "handle_lifetime_ms",
  "created_at",
  "updated_at",
  "expires_at",
  "completed_at",
  "handle_expires_at",
  "handle_nonce",
  "reason",
] as const satisfies readonly (keyof UploadsTable)[];

export const extentColumns = [
  "blob_id",
  "start",
  "key",
  "length",
  "crc32",
  "inline",
] as const satisfies readonly (keyof ExtentsTable)[];

type Moved = "to" | "length" | "sha256" | "crc32" | "at" | "expiresAt" | "id" | "from";
type Within = keyof UploadsTable | keyof PromisedRoom;
type Completed = Moved | "completedAt" | "handleExpiresAt" | "nonce";

/** The statements that every upload runs, built once. */
export class HotQueries {
  readonly selectUpload: Prepared<"id">;
  readonly selectExtents: Prepared<"blobId">;
  readonly selectToken: Prepared<"hash">;
  readonly selectApp: Prepared<"id">;
  readonly insertUpload: Prepared<keyof UploadsTable>;
  readonly insertUploadWithin: Prepared<Within>;
  readonly upsertExtent: Prepared<keyof ExtentsTable>;
  readonly move: Prepared<Moved>;
  readonly complete: Prepared<Completed>;

  constructor(db: Kysely<Schema>) {
    this.selectUpload = new Prepared((slot) =>
      db.selectFrom("uploads").selectAll().where("id", "=", slot("id")),
    );
    this.selectExtents = new Prepared((slot) =>
      db.selectFrom("extents").selectAll().where("blob_id", "=", slot("blobId")).orderBy("start"),
    );
    this.selectToken = new Prepared((slot) =>
      db.selectFrom("tokens").selectAll().where("hash", "=", slot("hash")),
    );
    this.selectApp = new Prepared((slot) =>
      db.selectFrom("apps").selectAll().where("id", "=", slot("id")),
    );
    this.insertUpload = new Prepared((slot) => insertUpload(db, slot));
    this.insertUploadWithin = new Prepared((slot) => insertUploadWithin(db, slot));
    this.upsertExtent = new Prepared((slot) => upsertExtent(db, slot));
    this.move = new Prepared((slot) => move(db, slot));
    this.complete = new Prepared((slot) => complete(db, slot));
  }
}

export function insertUpload(db: Kysely<Schema>, slot: SlotOf<keyof UploadsTable>) {
  return db.insertInto("uploads").values(rowOf<UploadsTable>(uploadColumns, slot));
}

/**
 * The state is part of the text, and the time no condition, so that it is the index of the app's
 * open uploads that is used: others are longer.
 */
export function insertUploadWithin(
  db: Kysely<Schema>,
  slot: SlotOf<Within>,
  condition = sql<boolean>`1 = 1`,
) {
  const promised = db
    .selectFrom("uploads")
    .select(
      sql<number>`coalesce(sum(length - "offset") filter (where updated_at >= ${slot("since")}), 0)`.as(
        "bytes",
      ),
    )
    .where("app_id", "=", slot("app_id"))
    .where("state", "=", sql.lit("open"));
  return db
    .insertInto("uploads")
    .columns(uploadColumns)
    .expression(
      db
        .selectNoFrom((build) => uploadColumns.map((column) => build.val(slot(column)).as(column)))
        .where(
          sql<boolean>`${promised} + coalesce(cast(${slot("length")} as bigint), 0) <= ${slot("bytesMax")}`,
        )
        .where(condition),
    );
}

/** Moves an open upload's offset. */
export function move(db: Kysely<Schema>, slot: SlotOf<Moved>) {
  return db
    .updateTable("uploads")
    .set({
      offset: slot("to"),
      length: sql<number | null>`coalesce(length, cast(${slot("length")} as bigint))`,
      sha256: sql<string | null>`coalesce(sha256, ${slot("sha256")})`,
      crc32: slot("crc32"),
      updated_at: slot("at"),
      expires_at: slot("expiresAt"),
    })
    .where("id", "=", slot("id"))
    .where("state", "=", "open")
    .where("offset", "=", slot("from"));
}

/** The same when that ends it well. */
export function complete(db: Kysely<Schema>, slot: SlotOf<Completed>) {
  return move(db, slot).set({
    state: "complete",
    completed_at: slot("completedAt"),
    handle_expires_at: slot("handleExpiresAt"),
    handle_nonce: slot("nonce"),
  });
}

function upsertExtent(db: Kysely<Schema>, slot: SlotOf<keyof ExtentsTable>) {
  return orGrown(db.insertInto("extents").values(rowOf<ExtentsTable>(extentColumns, slot)));
}

/** An extent with the same start is the same run, grown. */
export function orGrown(insert: InsertQueryBuilder<Schema, "extents", InsertResult>) {
  return insert.onConflict((conflict) =>
    conflict.columns(["blob_id", "start"]).doUpdateSet((excluded) => ({
      key: excluded.ref("excluded.key"),
      length: excluded.ref("excluded.length"),
      crc32: excluded.ref("excluded.crc32"),
      inline: excluded.ref("excluded.inline"),
    })),
  );
}

function rowOf<Row extends object>(
  columns: readonly (keyof Row & string)[],
  slot: SlotOf<keyof Row & string>,
): Row {
  // Every column of the row is listed, which `satisfies` above cannot check the other way round;
  // an insert that leaves out a column without a default is refused by the database.
  return Object.fromEntries(columns.map((column) => [column, slot(column)])) as Row;
}
