import { KeysLeftError } from "../blobs/blob-store.ts";
import type { EngineParts } from "./parts.ts";

/** Returns what the store keeps, such as what is locked; `kept` says so in the log. */
export async function removeKeys(
  { blobs, log }: Pick<EngineParts, "blobs" | "log">,
  keys: readonly string[],
  kept: string,
): Promise<readonly string[]> {
  try {
    await blobs.remove(keys);
    return [];
  } catch (error) {
    if (!(error instanceof KeysLeftError)) throw error;
    log.warn({ err: error, keys: error.keys }, kept);
    return error.keys;
  }
}
