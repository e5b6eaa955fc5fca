/*
 * A planted fault: loaded before the server, it makes every sync of an upload's bytes say "done"
 * without doing anything. SQLite's own syncs stay. A harness that does not notice is no harness.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

Object.assign(fs, {
  fdatasync: (_descriptor: number, done: (error: Error | null) => void): void => {
    setImmediate(done, null);
  },
});
syncBuiltinESMExports();
