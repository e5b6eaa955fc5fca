/*
 * Kills its own process right before or right after the n-th sync of an upload's bytes, or the
 * n-th commit of the catalog. Loaded into every thread; commits happen in the writer's alone, and
 * syncs of uploads in the main thread, so that each count is kept in one place.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync } from "node:sqlite";
import { callbackify, promisify } from "node:util";

const { KILL_AT: event, KILL_AT_NUMBER: number, KILL_AT_SIDE: side } = process.env;
let count = 0;

/** True for the one call that is meant; "before" never comes back from here. */
function isTheOne(): boolean {
  count += 1;
  if (count !== Number(number)) return false;
  if (side === "before") die();
  return true;
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

if (event === "sync") {
  const sync = promisify(fs.fdatasync);
  const counted = async (descriptor: number): Promise<void> => {
    const last = isTheOne();
    await sync(descriptor);
    if (last) die();
  };
  Object.assign(fs, { fdatasync: callbackify(counted) });
  syncBuiltinESMExports();
}

if (event === "commit") {
  const original = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, "exec");
  // The descriptor of a method that is known to be there; its type is the class's own.
  const exec = original?.value as (this: DatabaseSync, sql: string) => void;
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
    if (sql.trim().toLowerCase() !== "commit") {
      exec.call(this, sql);
      return;
    }
    const last = isTheOne();
    exec.call(this, sql);
    if (last) die();
  };
}
