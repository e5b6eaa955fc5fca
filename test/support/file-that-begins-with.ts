import { open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** The file below the data directory that begins with these bytes, wherever the server keeps it. */
export async function fileThatBeginsWith(directory: string, beginning: Buffer): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    await using file = await open(path, "r");
    const found = Buffer.alloc(beginning.length);
    await file.read(found, 0, found.length, 0);
    if (found.equals(beginning)) return path;
  }
  throw new Error("no file holds the upload's bytes");
}
