import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { tmpdir } from "node:os";

/**
 * Where a file system in memory is mounted, else the temporary directory: for files of which no
 * test asks whether they outlive the machine, only that they are synced as they should be.
 */
export async function fastDirectory(): Promise<string> {
  const inMemory = "/dev/shm";
  try {
    await access(inMemory, constants.W_OK | constants.X_OK);
    return inMemory;
  } catch {
    return tmpdir();
  }
}
