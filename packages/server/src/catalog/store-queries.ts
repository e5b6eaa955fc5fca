import { sql, type Kysely } from "kysely";
import type { AssemblyClaim, AssemblyFinish, EpochLook } from "./catalog.ts";
import type { Epoch } from "./records.ts";
import { epochRow } from "./rows.ts";
import type { Schema } from "./schema.ts";

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

/**
 * Closes the epochs of assemblies whose nonce is not current any more: it never will be again, even
 * where whoever drew it died before it could say so.
 */
export function closeAssemblyEpochs(db: Kysely<Schema>, at: number) {
  return db
    .updateTable("epochs")
    .set({ closed_at: at, look_at: at })
    .where("closed_at", "is", null)
    .where("upload_id", "is", null)
    .where(
      sql<boolean>`not exists (select 1 from assemblies
        where assemblies.blob_id = epochs.blob_id and assemblies.nonce = epochs.fence)`,
    );
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
  return (
    db
      .updateTable("epochs")
      .set((build) => ({ look_at: nextAt, looks: build("looks", "+", 1) }))
      .where("fence", "=", fence)
      // A look counts once, however often the note of it is sent.
      .where("look_at", "!=", nextAt)
  );
}

export function putOffEpochLook(db: Kysely<Schema>, fence: string, dueAt: number) {
  return db.updateTable("epochs").set({ look_at: dueAt }).where("fence", "=", fence);
}

export function requestAssembly(db: Kysely<Schema>, blobId: string, at: number) {
  return db
    .insertInto("assemblies")
    .values({ blob_id: blobId, nonce: null, due_at: at, tries: 0 })
    .onConflict((conflict) => conflict.column("blob_id").doNothing());
}

/** The assembly that is longest due, or the one that is named, due or not. */
export function claimableAssembly(db: Kysely<Schema>, claim: AssemblyClaim) {
  const select = db.selectFrom("assemblies").select("blob_id").orderBy("due_at").limit(1);
  return select.where(isClaimable(claim));
}

export function claimAssembly(
  db: Kysely<Schema>,
  claim: AssemblyClaim,
  claimable: ReturnType<typeof claimableAssembly>,
) {
  const { until, nonce } = claim;
  return db
    .updateTable("assemblies")
    .set((build) => ({ nonce, due_at: until, tries: build("tries", "+", 1) }))
    .where("blob_id", "=", claimable)
    .where(isClaimable(claim))
    .returningAll();
}

function isClaimable({ now, blobId }: AssemblyClaim) {
  if (blobId !== undefined) return sql<boolean>`blob_id = ${blobId}`;
  return sql<boolean>`due_at <= ${now}`;
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

/** Ends the assembly if the blob consists of exactly the extents that were made one. */
export function endAssembly(db: Kysely<Schema>, { blobId, nonce, extents }: AssemblyFinish) {
  const pairs = extents.map(
    ({ start, key }) => sql`(cast(${start} as bigint), cast(${key} as text))`,
  );
  const all = db
    .selectFrom("extents")
    .select((build) => build.fn.countAll<number>().as("count"))
    .where("blob_id", "=", blobId);
  const same = all.where(sql<boolean>`(start, key) in (values ${sql.join(pairs)})`);
  return db
    .deleteFrom("assemblies")
    .where("blob_id", "=", blobId)
    .where("nonce", "=", nonce)
    .where(all, "=", extents.length)
    .where(same, "=", extents.length);
}
