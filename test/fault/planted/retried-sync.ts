/*
 * A planted fault: loaded before the server, it calls a sync that failed once more and reports what
 * the second call says. The kernel tells an error once and calls the pages clean after it, so the
 * second call says "done" about bytes that are not on the disk.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { fdatasync } = fs;

Object.assign(fs, {
  fdatasync: (descriptor: number, done: (error: Error | null) => void): void => {
    fdatasync(descriptor, (error) => {
      if (error === null) done(null);
      else fdatasync(descriptor, done);
    });
  },
});
syncBuiltinESMExports();
