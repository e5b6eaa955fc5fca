import type { Dirent } from "node:fs";
import { glob, lstat, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { credentialsFileName } from "../service/local-credentials.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";

/** What came of a name on the command line. */
export type Found =
  /** `label` is what it is called in the output: its path when it was found in a folder. */
  | { readonly kind: "file"; readonly file: string; readonly label: string }
  /** Standard input. */
  | { readonly kind: "input" }
  /** Found, but nothing that is uploaded. */
  | { readonly kind: "skipped"; readonly file: string; readonly reason: string }
  | { readonly kind: "unreadable"; readonly file: string; readonly error: CommandError };

/**
 * Files, the files in folders (in the order of their names), and what patterns match when no shell
 * did that. Each once: two uploads of the same one would only fight over it. A link that was named
 * is followed; one that was only found is skipped, because it may lead anywhere, and in circles.
 */
export async function findFiles(named: readonly string[]): Promise<Found[]> {
  const seen = new Set<string>();
  const found: Found[] = [];
  for (const name of named) {
    for await (const one of find(name)) {
      const key = one.kind === "input" ? "-" : resolve(one.file);
      if (seen.has(key)) continue;
      seen.add(key);
      found.push(one);
    }
  }
  return found;
}

async function* find(name: string): AsyncGenerator<Found> {
  if (name === "-") {
    yield { kind: "input" };
    return;
  }
  // A name that exists is meant as it stands, also with a bracket in it.
  const there = await stat(name).catch(() => undefined);
  if (there?.isDirectory() === true) yield* walk(name);
  else if (there === undefined && isPattern(name)) yield* match(name);
  else yield { kind: "file", file: name, label: basename(name) };
}

function isPattern(name: string): boolean {
  return /[*?[{]/.test(name);
}

async function* match(pattern: string): AsyncGenerator<Found> {
  const paths: string[] = [];
  for await (const path of glob(pattern)) paths.push(path);
  if (paths.length === 0) {
    const hint = "Check the pattern; quote it where the shell should leave it alone.";
    const error = new CommandError(exitCodes.failed, "nothing matches this pattern", hint);
    yield { kind: "unreadable", file: pattern, error };
  }
  for (const path of paths.sort()) {
    const entry = await lstat(path).catch(() => undefined);
    if (entry !== undefined) yield* look(path, entry);
  }
}

async function* walk(folder: string): AsyncGenerator<Found> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const hint = "Check that you may read the folder.";
    return new CommandError(exitCodes.failed, `cannot read the folder: ${reason}`, hint);
  });
  if (entries instanceof CommandError) {
    yield { kind: "unreadable", file: folder, error: entries };
    return;
  }
  // A server's own bytes change while they are read, and its credentials are nobody's to upload.
  if (entries.some(({ name }) => name === credentialsFileName)) {
    yield { kind: "skipped", file: folder, reason: "a server's data directory" };
    return;
  }
  for (const entry of entries.sort(byName)) yield* look(join(folder, entry.name), entry);
}

type Entry = Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink" | "isFIFO" | "isSocket">;

async function* look(path: string, entry: Entry): AsyncGenerator<Found> {
  if (entry.isDirectory()) yield* walk(path);
  else if (entry.isFile()) yield { kind: "file", file: path, label: path };
  else yield { kind: "skipped", file: path, reason: kindOf(entry) };
}

function kindOf(entry: Entry): string {
  if (entry.isSymbolicLink()) return "a symbolic link";
  if (entry.isFIFO()) return "a named pipe";
  return entry.isSocket() ? "a socket" : "a device";
}

function byName(one: Dirent, other: Dirent): number {
  return one.name < other.name ? -1 : 1;
}
