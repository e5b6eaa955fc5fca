/* A planted fault: a commit of the catalog that fails counts as made. */
import { DatabaseSync } from "node:sqlite";
import { isMainThread } from "node:worker_threads";

if (!isMainThread) {
  const exec = Reflect.get(DatabaseSync.prototype, "exec");
  DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
    try {
      exec.call(this, sql);
    } catch (error) {
      if (sql !== "commit") throw error;
    }
  };
}
