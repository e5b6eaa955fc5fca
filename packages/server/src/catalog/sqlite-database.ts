import { statfsSync } from "node:fs";
import path from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { migrations } from "./migrations/migrations.ts";

/** Room that the files keep, so that a full disk can still commit: about 300 appends' worth. */
const ballastBytes = 4 * 1024 * 1024;
/** What the log grows by as it takes them, and the database at most. */
const roomAsideBytes = 2 * ballastBytes + 64 * 1024;

/**
 * Opens the database for its one writer: every commit is synced (FULL is read back, because a
 * re-opened WAL database may silently be NORMAL), what an earlier process committed is made
 * durable before anything is told, the schema is brought up to date, and room is set aside.
 */
export async function openForWriting(file: string): Promise<DatabaseSync> {
  const database = await openUpToDate(file);
  try {
    setRoomAside(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Brings the schema up to date, and no more: the writer, which opens it next, finds it done. */
export async function prepareSchema(file: string): Promise<void> {
  (await openUpToDate(file)).close();
}

async function openUpToDate(file: string): Promise<DatabaseSync> {
  const database = new DatabaseSync(file);
  try {
    database.exec("pragma busy_timeout = 0");
    expectPragma(database, "journal_mode = wal", "wal");
    database.exec("pragma synchronous = full");
    expectPragma(database, "synchronous", 2);
    // Checkpoints belong between group commits, not inside one.
    database.exec("pragma wal_autocheckpoint = 0");
    database.exec("pragma foreign_keys = on");
    // A commit that was written but not synced at kill -9 would otherwise be shown and then lost.
    copyLog(database, "truncate");
    await bringUpToDate(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens it for bounded reads of what is committed. The writer must have opened it before. */
export function openForReading(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  database.exec("pragma query_only = on");
  return database;
}

/** Prepared statements by their text: preparing costs more than most of these statements. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #byText = new Map<string, { statement: StatementSync; reader: boolean }>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get(text: string): { statement: StatementSync; reader: boolean } {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    const entry = { statement, reader: statement.columns().length > 0 };
    // Texts with lists of values vary; the rest are a few dozen.
    if (this.#byText.size >= 500) this.#byText.clear();
    this.#byText.set(text, entry);
    return entry;
  }
}

function expectPragma(database: DatabaseSync, pragma: string, expected: string | number): void {
  const value = valueOf(database, pragma);
  if (value !== expected) {
    throw new Error(
      `SQLite answered ${String(value)} to "pragma ${pragma}"; ${expected} is needed`,
    );
  }
}

function valueOf(database: DatabaseSync, pragma: string): unknown {
  const row = database.prepare(`pragma ${pragma}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

/** The migrator is loaded only when there is something to do: it is large, and this is a thread. */
async function bringUpToDate(database: DatabaseSync): Promise<void> {
  const table = database.prepare(
    "select name from sqlite_schema where name = 'kysely_migration' and type = 'table'",
  );
  const done =
    table.get() === undefined
      ? []
      : database.prepare("select name from kysely_migration order by name").all();
  const names = Object.keys(migrations).sort();
  if (done.length === names.length && done.every((row, at) => row.name === names[at])) return;
  const { migrate } = await import("./sqlite-migrate.ts");
  await migrate(database);
}

/** Between group commits: copies the log into the database, and sets room aside anew when it was used. */
export function checkpoint(database: DatabaseSync): void {
  copyLog(database, "passive");
  if (freeBytes(database) < ballastBytes / 2) setRoomAside(database);
}

/**
 * On a full disk the log keeps what the database has no room for, until there is room. It was synced
 * before the first of it was copied.
 */
function copyLog(database: DatabaseSync, mode: "passive" | "truncate"): void {
  try {
    database.exec(`pragma wal_checkpoint(${mode})`);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

/**
 * Writes and removes rows once: the log has then grown and is never truncated while serving, and
 * the database has free pages, so commits find room even when the volume has none.
 */
function setRoomAside(database: DatabaseSync): void {
  if (!fitsRoomAside(database)) return;
  try {
    database.exec("begin immediate");
    database.exec("create table if not exists ballast (bytes blob not null)");
    database.prepare("insert into ballast (bytes) values (zeroblob(?))").run(ballastBytes);
    database.exec("delete from ballast");
    database.exec("commit");
  } catch (error) {
    // A volume that is full already: serve reads, and refuse writes one by one.
    if (database.isTransaction) database.exec("rollback");
    if (!isFull(error)) throw error;
  }
  copyLog(database, "passive");
}

/** In a log that cannot be copied, rows that only take room would be in the way of all others. */
function fitsRoomAside(database: DatabaseSync): boolean {
  const { bavail, bsize } = statfsSync(path.dirname(database.location() ?? ""));
  return bavail * bsize >= roomAsideBytes - Math.min(ballastBytes, freeBytes(database));
}

/** In pages that the database has and does not use. */
function freeBytes(database: DatabaseSync): number {
  return Number(valueOf(database, "freelist_count")) * Number(valueOf(database, "page_size"));
}

/** SQLITE_FULL: nothing was changed. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 13;
}
