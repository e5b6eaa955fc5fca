import { access, constants, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { asError, systemErrorCode } from "../base/errors.ts";

/** Another process works with this data directory. */
export class DirectoryOwnedError extends Error {
  override readonly name = "DirectoryOwnedError";
  readonly dataDirectory: string;

  constructor(dataDirectory: string) {
    super(`Another process is using the data directory ${dataDirectory}.`);
    this.dataDirectory = dataDirectory;
  }
}

export interface DirectoryOwnership {
  release(): void;
}

const sqliteBusy = 5;

/**
 * Makes this process the only one that works with the directory. The operating system drops the
 * lock when the process ends, however it ends, so nothing stale is ever left behind.
 */
export async function ownDirectory(dataDirectory: string): Promise<DirectoryOwnership> {
  await makeWritable(dataDirectory);
  const path = join(dataDirectory, "owner.sqlite");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("pragma busy_timeout = 0; begin exclusive");
  } catch (error) {
    database?.close();
    if (isBusy(error)) throw new DirectoryOwnedError(dataDirectory);
    const reason = asError(error).message;
    throw new Error(`The data directory cannot be locked (${path}): ${reason}`, { cause: error });
  }
  const owner = database;
  return {
    release: () => {
      if (owner.isOpen) owner.close();
    },
  };
}

async function makeWritable(dataDirectory: string): Promise<void> {
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    await access(dataDirectory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = systemErrorCode(error) ?? asError(error).message;
    throw new Error(
      `The data directory ${dataDirectory} is not writable (${code}). ` +
        "Give this user access to it, or name another one with --data.",
      { cause: error },
    );
  }
}

function isBusy(error: unknown): boolean {
  // The low byte is SQLite's primary code; the rest says more about the same thing.
  return (
    error instanceof Error &&
    "errcode" in error &&
    typeof error.errcode === "number" &&
    (error.errcode & 0xff) === sqliteBusy
  );
}
