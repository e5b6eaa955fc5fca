import { sql, type Kysely } from "kysely";
import type { Advance, AdvanceEnding, PromisedRoom } from "./catalog.ts";
import type { Upload } from "./records.ts";
import { Prepared, type SlotOf } from "./prepared.ts";
import { extentRow, uploadRow } from "./rows.ts";
import type { ExtentsTable, Schema, UploadsTable } from "./schema.ts";
import type { Step } from "./sqlite-messages.ts";

const uploadColumns = [
  "id",
  "app_id",
  "user_id",
  "state",
  "name",
  "type",
  "length",
  "offset",
  "crc32",
  "blob_id",
  "creation",
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

const extentColumns = [
  "blob_id",
  "start",
  "key",
  "length",
  "crc32",
  "inline",
] as const satisfies readonly (keyof ExtentsTable)[];

type Moved = "to" | "crc32" | "at" | "expiresAt" | "id" | "from";
type Within = keyof UploadsTable | keyof PromisedRoom;
type Completed = "completedAt" | "handleExpiresAt" | "nonce";

/** The statements that every upload runs, built once. */
export class HotQueries {
  readonly selectUpload: Prepared<"id">;
  readonly selectExtents: Prepared<"blobId">;
  readonly selectToken: Prepared<"hash">;
  readonly selectApp: Prepared<"id">;
  readonly #insertUpload: Prepared<keyof UploadsTable>;
  readonly #insertUploadWithin: Prepared<Within>;
  readonly #upsertExtent: Prepared<keyof ExtentsTable>;
  readonly #move: Prepared<Moved>;
  readonly #complete: Prepared<Moved | Completed>;

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
    this.#insertUpload = new Prepared((slot) =>
      db.insertInto("uploads").values(rowOf<UploadsTable>(uploadColumns, slot)),
    );
    this.#insertUploadWithin = new Prepared((slot) => insertUploadWithin(db, slot));
    this.#upsertExtent = new Prepared((slot) => upsertExtent(db, slot));
    this.#move = new Prepared((slot) => move(db, slot));
    this.#complete = new Prepared((slot) =>
      move(db, slot).set({
        state: "complete",
        completed_at: slot("completedAt"),
        handle_expires_at: slot("handleExpiresAt"),
        handle_nonce: slot("nonce"),
      }),
    );
  }

  insertUpload(upload: Upload, within: PromisedRoom | undefined): Step {
    const row = uploadRow(upload);
    if (within === undefined) return this.#insertUpload.step(row);
    return this.#insertUploadWithin.step({ ...row, ...within }, 1);
  }

  /** Moves an open upload's offset and keeps the extents that reach there. */
  advance(advance: Advance, ending: Extract<AdvanceEnding, { state: "complete" }> | undefined) {
    const { to, crc32, at, expiresAt, id, from } = advance;
    const values = { to, crc32, at, expiresAt, id, from };
    const first =
      ending === undefined
        ? this.#move.step(values, 1)
        : this.#complete.step({ ...values, ...ending.completion }, 1);
    const extents = advance.extents.map((extent) =>
      this.#upsertExtent.step(extentRow(advance.blobId, extent)),
    );
    return [first, ...extents];
  }
}

/**
 * The state is part of the text, and the time no condition, so that it is the index of the app's
 * open uploads that is used: others are longer.
 */
function insertUploadWithin(db: Kysely<Schema>, slot: SlotOf<Within>) {
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
        .where(sql<boolean>`${promised} + ${slot("length")} <= ${slot("bytesMax")}`),
    );
}

function move(db: Kysely<Schema>, slot: SlotOf<Moved>) {
  return db
    .updateTable("uploads")
    .set({
      offset: slot("to"),
      crc32: slot("crc32"),
      updated_at: slot("at"),
      expires_at: slot("expiresAt"),
    })
    .where("id", "=", slot("id"))
    .where("state", "=", "open")
    .where("offset", "=", slot("from"));
}

/** An extent with the same start is the same run, grown. */
function upsertExtent(db: Kysely<Schema>, slot: SlotOf<keyof ExtentsTable>) {
  return db
    .insertInto("extents")
    .values(rowOf<ExtentsTable>(extentColumns, slot))
    .onConflict((conflict) =>
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
