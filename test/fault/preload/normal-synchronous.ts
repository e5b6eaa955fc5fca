/*
 * A planted fault: SQLite is told `synchronous = normal`, under which a commit is written and not
 * synced, and whoever reads the setting back is told 2, "full".
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";

const methodOf = (name: "exec" | "prepare"): unknown =>
  Object.getOwnPropertyDescriptor(DatabaseSync.prototype, name)?.value;

// Methods that are known to be there; the types are the class's own.
const exec = methodOf("exec") as (this: DatabaseSync, sql: string) => void;
const prepare = methodOf("prepare") as (this: DatabaseSync, sql: string) => StatementSync;

DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  exec.call(this, sql.replace(/(pragma\s+synchronous\s*=\s*)(full|2)/i, "$1normal"));
};

DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string): StatementSync {
  const readsBack = /^\s*pragma\s+synchronous\s*;?\s*$/i.test(sql);
  return prepare.call(this, readsBack ? "select 2 as synchronous" : sql);
};
