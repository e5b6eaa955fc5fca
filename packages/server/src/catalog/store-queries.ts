import { sql, type Kysely } from "kysely";
import type { AssemblyClaim, AssemblyFinish, EpochLook } from "./catalog.ts";
import { step } from "./queries.ts";
import type { Epoch } from "./records.ts";
import { epochRow, extentRow } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { Step } from "./sqlite-messages.ts";

/** Statements about what a store of many keys leaves behind, and about making many keys one. */

export function openEpoch(db: Kysely<Schema>, epoch: Epoch) {
  return db
    .insertInto("epochs")
    .values(epochRow(epoch))
    .onConflict((conflict) => conflict.column("fence").doNothing());
}

export function closeEpoch(db: Kysely<Schema>, fence: string, at: number) {
  return db
    .updateTable("epochs")
    .set({ closed_at: at, look_at: at })
    .where("fence", "=", fence)
    .where("closed_at", "is", null);
}

/** Epochs that end with a lease and have not ended yet. */
export function openEpochs(db: Kysely<Schema>) {
  return db
    .selectFrom("epochs")
    .select(["fence", "upload_id"])
    .where("closed_at", "is", null)
    .where("upload_id", "is not", null);
}

export function dueEpochs(db: Kysely<Schema>, { now, closedBefore, limit }: EpochLook) {
  return db
    .selectFrom("epochs")
    .selectAll()
    .where("closed_at", "<=", closedBefore)
    .where("look_at", "<=", now)
    .orderBy("closed_at")
    .limit(limit);
}

export function noteEpochLook(db: Kysely<Schema>, fence: string, nextAt: number | undefined) {
  if (nextAt === undefined) return db.deleteFrom("epochs").where("fence", "=", fence);
  return db
    .updateTable("epochs")
    .set((build) => ({ look_at: nextAt, looks: build("looks", "+", 1) }))
    .where("fence", "=", fence);
}

export function requestAssembly(db: Kysely<Schema>, blobId: string, at: number) {
  return db
    .insertInto("assemblies")
    .values({ blob_id: blobId, nonce: null, due_at: at, tries: 0 })
    .onConflict((conflict) => conflict.column("blob_id").doNothing());
}

export function claimAssembly(db: Kysely<Schema>, { now, until, nonce }: AssemblyClaim) {
  const due = db
    .selectFrom("assemblies")
    .select("blob_id")
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .limit(1);
  return db
    .updateTable("assemblies")
    .set((build) => ({ nonce, due_at: until, tries: build("tries", "+", 1) }))
    .where("blob_id", "=", due)
    .returningAll();
}

export function putOffAssembly(
  db: Kysely<Schema>,
  { blobId, nonce, dueAt }: { blobId: string; nonce: string; dueAt: number | undefined },
) {
  if (dueAt === undefined) {
    return db.deleteFrom("assemblies").where("blob_id", "=", blobId).where("nonce", "=", nonce);
  }
  return db
    .updateTable("assemblies")
    .set({ due_at: dueAt, nonce: null })
    .where("blob_id", "=", blobId)
    .where("nonce", "=", nonce);
}

export function finishAssemblySteps(db: Kysely<Schema>, finish: AssemblyFinish): Step[] {
  const { blobId, nonce, extents, assembled, at } = finish;
  const own = db.deleteFrom("assemblies").where("blob_id", "=", blobId).where("nonce", "=", nonce);
  const keys = extents.map(({ key }) => key);
  const doom = db
    .insertInto("doomed_keys")
    .columns(["key", "doomed_at"])
    .expression(
      db
        .selectFrom("extents")
        .select(["key", sql<number>`${at}`.as("doomed_at")])
        .where("blob_id", "=", blobId)
        .where("key", "!=", ""),
    )
    .onConflict((conflict) => conflict.column("key").doNothing());
  const forget = db.deleteFrom("extents").where("blob_id", "=", blobId).where("key", "in", keys);
  const keep = db.insertInto("extents").values(extentRow(blobId, assembled));
  return [step(own, 1), step(doom), step(forget, extents.length), step(keep)];
}
