import type { ResumeEntry, ResumeStore } from "hawser-client";
import { fileIdentity, resumeKey } from "hawser-client";
import { dialects } from "./dialects.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import type { Target } from "./target.ts";

/** An upload the user named, by its id or by the file it was made from. */
export interface KnownUpload {
  readonly id: string;
  /** What to call it in sentences. */
  readonly label: string;
  /** When it was named by its file. */
  readonly remembered: { readonly key: string; readonly entry: ResumeEntry } | undefined;
}

/** Finds the upload for `ID|FILE`. */
export async function findUpload(
  named: string,
  target: Target,
  store: ResumeStore,
): Promise<KnownUpload> {
  if (named.startsWith("upload:")) return { id: named, label: "the upload", remembered: undefined };
  const remembered = await recall(named, target, store);
  const { appId, id } = remembered.entry;
  if (appId in dialects) {
    throw new CommandError(
      exitCodes.usage,
      `${named} was uploaded with --dialect ${appId}, and is not one of Graph's uploads`,
      `"hawser put ${named} --dialect ${appId}" goes on with it; it is at ${id}.`,
    );
  }
  return { id: remembered.entry.id, label: named, remembered };
}

/** What is remembered of a file's upload to this target; says what to do when nothing is. */
export async function recall(file: string, target: Target, store: ResumeStore) {
  const identity = fileIdentity(file);
  for (const appId of [target.appId, ...Object.keys(dialects)]) {
    const key = resumeKey(target.url, appId, identity);
    const entry = await store.get(key);
    if (entry !== undefined) return { key, entry };
  }
  const elsewhere = (await store.list()).find((other) => other.entry.identity === identity);
  if (elsewhere === undefined) {
    throw new CommandError(
      exitCodes.notFound,
      `no upload of ${file} is remembered here`,
      `Upload it with "hawser put", or name an upload by its id ("hawser ls" shows them).`,
    );
  }
  const { url, appId } = elsewhere.entry;
  const how = appId in dialects ? "" : ` --app ${appId}`;
  throw new CommandError(
    exitCodes.notFound,
    `${file} was not uploaded to ${target.url} but to ${url}, app ${appId}`,
    `Add --to ${url}${how}.`,
  );
}
