import { readFile } from "node:fs/promises";

/** What systems that do not tell are taken to allow. */
const descriptorsAssumed = 4_096;

/** How many files and sockets this process may have open at once. */
export async function descriptorsMax(): Promise<number> {
  try {
    const limits = await readFile("/proc/self/limits", "utf8");
    const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return Number.isSafeInteger(soft) ? soft : descriptorsAssumed;
  } catch {
    return descriptorsAssumed;
  }
}
