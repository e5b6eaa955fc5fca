import { sql, type CompiledQuery, type RawBuilder } from "kysely";
import type { Advance, AdvanceEnding, AssemblyFinish, EndUpload, PromisedRoom } from "./catalog.ts";
import { complete, extentColumns, insertUploadWithin, move, orGrown } from "./hot-queries.ts";
import { filledWith } from "./prepared.ts";
import { compiled, nobodyHolds, postgresText as db } from "./postgres-text.ts";
import {
  doom,
  doomKeys,
  endUpload,
  expireUploads,
  expiring,
  forgetExtents,
  forgetReplaced,
  keysOf,
  leftBehind,
  unpublishUpload,
} from "./queries.ts";
import { insertFile, publishUpload } from "./record-queries.ts";
import type { Extent, PublishedFile, Upload } from "./records.ts";
import { extentRow, uploadRow } from "./rows.ts";
import type { ExtentsTable, FilesTable } from "./schema.ts";
import { endAssembly } from "./store-queries.ts";

/**
 * Each change is one statement. All its parts see the same snapshot, and only a row that was
 * locked meanwhile is looked at again. So what is decided from that row alone is safe; where a
 * part reads extents, too, the row must be the very version that the snapshot shows (`xmin`), or
 * nothing happens and the statement is run again. Whoever changes the extents of a blob changes
 * the row of its upload, or that of its file, in the same statement.
 */
export interface Change {
  /** Rows that the snapshot showed to be the caller's to change. */
  readonly seen: number;
  /** Those that were changed: fewer when somebody else was faster. */
  readonly moved: number;
}

export interface Begin extends Change {
  readonly kept: number;
}

export interface AdvanceAnswer {
  readonly wanted_at: number | null;
}

/** An upload that has ended is nobody's. */
const letGo = { fence: null, holder: null, wanted_at: null };

const unchanged = sql<boolean>`uploads.xmin = (select version from seen)`;
const unpublished = sql<string>`(select blob_id from moved where file_id is null)`;
const counts = sql`select cast((select count(*) from seen) as integer) as seen,
  cast((select count(*) from moved) as integer) as moved`;

const extentTypes = {
  blob_id: "text",
  start: "bigint",
  key: "text",
  length: "bigint",
  crc32: "bigint",
  inline: "bytea",
} as const satisfies Record<keyof ExtentsTable, string>;

type MovingAdvance = Advance & {
  readonly ending: Extract<AdvanceEnding, { state: "complete" }> | undefined;
};

/** Needs no look at extents: the fence and the offset are the row's, and say all. */
export function advanceUpload(advance: MovingAdvance): CompiledQuery<AdvanceAnswer> {
  const { ending, extents, at, blobId } = advance;
  const moved =
    ending === undefined
      ? move(db, filledWith(movedValues(advance)))
      : complete(db, filledWith({ ...movedValues(advance), ...ending.completion })).set(letGo);
  const { starts, keys } = leftBehind(advance);
  const parts = [
    sql`moved as (${moved.where("fence", "=", advance.fence).returning("wanted_at")})`,
    ...(extents.length > 0 ? [sql`kept as (${keep(blobId, extents, sql`moved`)})`] : []),
    ...(keys.length > 0 ? [sql`doomed as (${doom(db, givenIfMoved(keys), at)})`] : []),
    ...(starts.length > 0
      ? [
          sql`forgotten as (${forgetReplaced(db, blobId, starts).where(
            sql<boolean>`exists (select 1 from moved)`,
          )})`,
        ]
      : []),
  ];
  return compiled(sql`with ${sql.join(parts)} select wanted_at from moved`);
}

/** The row of the app stands for all its uploads: of two that are begun at once one comes second. */
export function beginUploadWithin(upload: Upload, within: PromisedRoom): CompiledQuery<Begin> {
  const values = { ...uploadRow(upload), ...within };
  const insert = insertUploadWithin(db, filledWith(values), sql`exists (select 1 from moved)`)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("id");
  return compiled(sql`
    with seen as materialized (select xmin as version from apps where id = ${upload.appId}),
    moved as (update apps set name = name where id = ${upload.appId}
      and xmin = (select version from seen) returning id),
    kept as (${insert})
    ${counts}, cast((select count(*) from kept) as integer) as kept
  `);
}

/** Keeps none of the extents it brings: their keys are doomed with those that were there. */
export function rejectUpload(advance: Advance, reason: string): CompiledQuery<Change> {
  const { id, fence, from, at, extents, replaced } = advance;
  const seen = seenUpload(sql`id = ${id} and fence = ${fence} and state = 'open'
    and "offset" = ${from}`);
  const moved = move(db, filledWith(movedValues(advance)))
    .set({ state: "rejected", reason, ...letGo })
    .where(unchanged)
    .returning(["blob_id", "file_id"]);
  const brought = givenIfMoved([...extents, ...replaced].map(({ key }) => key));
  const parts = [
    sql`seen as materialized (${seen}), moved as (${moved})`,
    sql`doomed as (${doom(db, sql`${keysOf(unpublished)} union all ${brought}`, at)})`,
    sql`forgotten as (${forgetExtents(db, unpublished)})`,
  ];
  return compiled(sql`with ${sql.join(parts)} ${counts}`);
}

export function endHeldUpload(ending: EndUpload): CompiledQuery<Change> {
  const { from = ["open"] } = ending;
  const seen = seenUpload(
    sql`id = ${ending.id} and fence = ${ending.fence} and state in (${sql.join(from)})`,
  );
  const moved = endUpload(db, ending)
    .set(letGo)
    .where("fence", "=", ending.fence)
    .where(unchanged)
    .returning(["blob_id", "file_id"]);
  // A damaged upload keeps its bytes: somebody will want to look at what is left of them.
  const doom = ending.state === "damaged" ? sql`` : sql`, ${doomMoved(ending.at)}`;
  return compiled(sql`with seen as materialized (${seen}), moved as (${moved})${doom} ${counts}`);
}

export interface Expiry {
  readonly seen: number;
  readonly ids: string[];
}

export function expireDueUploads(now: number, limit: number): CompiledQuery<Expiry> {
  const seen = expiring(db, { now, limit, after: undefined })
    .where(nobodyHolds)
    .clearSelect()
    .select(["id", sql<string>`xmin`.as("version")]);
  const moved = expireUploads(db, now)
    .set(letGo)
    .where(
      sql<boolean>`exists (select 1 from seen
        where seen.id = uploads.id and seen.version = uploads.xmin)`,
    )
    .returning(["id", "blob_id", "file_id"]);
  return compiled(sql`
    with seen as materialized (${seen}), moved as (${moved}), ${doomMoved(now)}
    select cast((select count(*) from seen) as integer) as seen, array(select id from moved) as ids
  `);
}

/** Fences are drawn anew each time: one that is not the upload's now never will be again. */
export function closeLeaseEpochs(at: number) {
  return db
    .updateTable("epochs")
    .set({ closed_at: at, look_at: at })
    .where("closed_at", "is", null)
    .where("upload_id", "is not", null)
    .where(
      sql<boolean>`not exists (select 1 from uploads
        where uploads.id = epochs.upload_id and uploads.fence = epochs.fence)`,
    );
}

export function publishFile(file: PublishedFile): CompiledQuery<FilesTable> {
  const published = publishUpload(db, file).returning("id");
  const inserted = insertFile(db, file, sql`published`).returningAll();
  return compiled(sql`with published as (${published}) ${inserted}`);
}

export function removePublishedFile(id: string, at: number): CompiledQuery<Change> {
  const ended = unpublishUpload(db, at)
    .set(letGo)
    .where("id", "in", sql<string>`(select upload_id from moved)`);
  const blobs = sql<string>`(select blob_id from moved)`;
  return compiled(sql`
    with seen as materialized (select xmin as version from files where id = ${id}),
    moved as (
      delete from files where id = ${id} and files.xmin = (select version from seen)
      returning blob_id, upload_id
    ),
    ended as (${ended}),
    doomed as (${doomKeys(db, blobs, at)}),
    forgotten as (${forgetExtents(db, blobs)}),
    unassembled as (delete from assemblies where blob_id in ${blobs})
    ${counts}
  `);
}

/** Touches the rows that own the blob, so that nobody dooms it by an older list of extents. */
export function finishHeldAssembly(finish: AssemblyFinish): CompiledQuery<Change> {
  const { blobId, nonce, assembled, at } = finish;
  const owners = (table: "uploads" | "files"): RawBuilder<unknown> =>
    sql`select id, xmin as version from ${sql.table(table)} where blob_id = ${blobId}
      and exists (select 1 from assemblies where blob_id = ${blobId} and nonce = ${nonce})`;
  const moved = endAssembly(db, finish)
    // The file before the upload, as where a file is removed: neither waits for the other.
    .where(
      sql<boolean>`(select count(*) from seen) =
        (select count(*) from touched_files) + (select count(*) from touched_uploads)`,
    )
    .returning("blob_id");
  const blobs = sql<string>`(select blob_id from moved)`;
  return compiled(sql`
    with seen_uploads as materialized (${owners("uploads")}),
    seen_files as materialized (${owners("files")}),
    seen as materialized (select id from seen_uploads union all select id from seen_files),
    touched_uploads as (
      update uploads set blob_id = uploads.blob_id from seen_uploads
      where uploads.id = seen_uploads.id and uploads.xmin = seen_uploads.version returning 1
    ),
    touched_files as (
      update files set blob_id = files.blob_id from seen_files
      where files.id = seen_files.id and files.xmin = seen_files.version returning 1
    ),
    moved as (${moved}),
    doomed as (${doomKeys(db, blobs, at)}),
    forgotten as (${forgetExtents(db, blobs).where("start", "!=", assembled.start)}),
    kept as (${keep(blobId, [assembled], sql`moved`)})
    select cast((select count(*) from moved) as integer) as moved,
      cast((select count(*) from seen) - (select count(*) from touched_uploads)
        - (select count(*) from touched_files) as integer) as seen
  `);
}

function movedValues({ to, length, sha256, crc32, at, expiresAt, id, from }: Advance) {
  const said = { length: length ?? null, sha256: sha256 ?? null };
  return { to, ...said, crc32, at, expiresAt, id, from };
}

function seenUpload(condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`select xmin as version from uploads where ${condition}`;
}

function doomMoved(at: number): RawBuilder<unknown> {
  return sql`doomed as (${doomKeys(db, unpublished, at)}),
    forgotten as (${forgetExtents(db, unpublished)})`;
}

/** These keys if the upload was moved. */
function givenIfMoved(keys: readonly string[]): RawBuilder<unknown> {
  return sql`select given.key from unnest(cast(${keys} as text[])) as given (key)
    where exists (select 1 from moved)`;
}

/**
 * Adds these extents, or grows those of the same start, once there is a row in `source`. A column
 * is one parameter: a statement takes 65,535 of them, and a concatenation may have more extents.
 */
function keep(blobId: string, extents: readonly Extent[], source: RawBuilder<unknown>) {
  const rows = extents.map((extent) => extentRow(blobId, extent));
  const given = extentColumns.map((column) => {
    const values = rows.map((row) => row[column]);
    return sql`cast(${values} as ${sql.raw(extentTypes[column])}[])`;
  });
  const insert = db
    .insertInto("extents")
    .columns(extentColumns)
    .expression(
      sql`select * from unnest(${sql.join(given)}) where exists (select 1 from ${source})`,
    );
  return orGrown(insert);
}
