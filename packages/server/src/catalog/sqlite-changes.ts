import { sql, type Compilable, type Expression, type Kysely } from "kysely";
import type { Advance, AdvanceEnding, AssemblyFinish, EndUpload } from "./catalog.ts";
import type { HotQueries } from "./hot-queries.ts";
import type { Prepared, Value, Values } from "./prepared.ts";
import {
  doomKeys,
  endUpload,
  expireUploads,
  forgetExtents,
  forgetReplaced,
  leftBehind,
  unpublishUpload,
} from "./queries.ts";
import { insertFile, publishUpload } from "./record-queries.ts";
import type { PublishedFile, Upload } from "./records.ts";
import { extentRow } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { Step } from "./sqlite-messages.ts";
import { endAssembly } from "./store-queries.ts";

/** Changes as steps: the one writer carries the steps of a change out as one. */

/** A compiled statement as a step of a change. */
export function step(query: Compilable, changesAtLeast = 0): Step {
  const { sql: text, parameters } = query.compile();
  // Kysely passes parameters through untouched, and they are values of the schema's columns.
  return { sql: text, parameters: parameters as Value[], changesAtLeast };
}

/** The same of a statement that was compiled before. */
export function boundStep<Name extends string>(
  query: Prepared<Name>,
  values: Values<Name>,
  changesAtLeast = 0,
): Step {
  return { sql: query.sql, parameters: query.bind(values), changesAtLeast };
}

export function advanceSteps(hot: HotQueries, db: Kysely<Schema>, advance: Advance): Step[] {
  const { ending, blobId, at } = advance;
  const replaced = replaceSteps(db, advance);
  if (ending?.state !== "rejected") return [...moveSteps(hot, advance, ending), ...replaced];
  const reject = db
    .updateTable("uploads")
    .set({ state: "rejected", reason: ending.reason })
    .where("id", "=", advance.id)
    .where("state", "=", "open");
  return [
    ...moveSteps(hot, advance, undefined),
    ...replaced,
    step(reject, 1),
    ...doomSteps(db, blobId, at),
  ];
}

/** Moves an open upload's offset and keeps the extents that reach there. */
function moveSteps(
  hot: HotQueries,
  advance: Advance,
  ending: Extract<AdvanceEnding, { state: "complete" }> | undefined,
): Step[] {
  const { to, crc32, at, expiresAt, id, from } = advance;
  const said = { length: advance.length ?? null, sha256: advance.sha256 ?? null };
  const values = { to, ...said, crc32, at, expiresAt, id, from };
  const first =
    ending === undefined
      ? boundStep(hot.move, values, 1)
      : boundStep(hot.complete, { ...values, ...ending.completion }, 1);
  const extents = advance.extents.map((extent) =>
    boundStep(hot.upsertExtent, extentRow(advance.blobId, extent)),
  );
  return [first, ...extents];
}

/** Forgets extents whose bytes another one holds by now; their keys are doomed. */
function replaceSteps(db: Kysely<Schema>, advance: Advance): Step[] {
  if (advance.replaced.length === 0) return [];
  const { starts, keys } = leftBehind(advance);
  const doom = db
    .insertInto("doomed_keys")
    .values(keys.map((key) => ({ key, doomed_at: advance.at })))
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ doomed_at: advance.at }));
  return [
    ...(starts.length > 0 ? [step(forgetReplaced(db, advance.blobId, starts))] : []),
    ...(keys.length > 0 ? [step(doom)] : []),
  ];
}

export function endSteps(db: Kysely<Schema>, ending: EndUpload): Step[] {
  // A damaged upload keeps its bytes: somebody will want to look at what is left of them.
  const doom = ending.state === "damaged" ? [] : doomSteps(db, ending.blobId, ending.at);
  return [step(endUpload(db, ending), 1), ...doom];
}

export function expireSteps(db: Kysely<Schema>, upload: Upload, now: number): Step[] {
  const expire = expireUploads(db, now).where("id", "=", upload.id);
  return [step(expire, 1), ...doomSteps(db, upload.blobId, now)];
}

export function insertFileSteps(db: Kysely<Schema>, file: PublishedFile): Step[] {
  const source = sql`uploads where id = ${file.uploadId}`;
  return [step(publishUpload(db, file), 1), step(insertFile(db, file, source))];
}

export function removeFileSteps(db: Kysely<Schema>, file: PublishedFile, at: number): Step[] {
  return [
    step(db.deleteFrom("files").where("id", "=", file.id), 1),
    step(unpublishUpload(db, at).where("id", "=", file.uploadId)),
    ...doomSteps(db, file.blobId, at),
  ];
}

/** Dooms a blob's keys and forgets its extents, unless a file still shows it. */
function doomSteps(db: Kysely<Schema>, blobId: string, at: number): Step[] {
  const blobs = sql<string>`(select ${blobId} where not exists
    (select 1 from files where blob_id = ${blobId}))`;
  return [step(doomKeys(db, blobs, at)), step(forgetExtents(db, blobs))];
}

export function finishAssemblySteps(
  hot: HotQueries,
  db: Kysely<Schema>,
  finish: AssemblyFinish,
): Step[] {
  const { blobId, assembled, at } = finish;
  const blob: Expression<string> = sql<string>`(${blobId})`;
  return [
    step(endAssembly(db, finish), 1),
    step(doomKeys(db, blob, at)),
    step(forgetExtents(db, blob).where("start", "!=", assembled.start)),
    boundStep(hot.upsertExtent, extentRow(blobId, assembled)),
  ];
}
