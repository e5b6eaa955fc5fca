import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import type { ResumeEntry, ResumeStore } from "hawser-client";
import { nodePlatform } from "hawser-client";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { recall } from "./known-upload.ts";
import { isWatched, note, print, printJson } from "./output.ts";
import type { Target } from "./target.ts";
import { connect, findTarget, openResumeStore } from "./target.ts";

interface PublishFlags extends ClientFlags {
  readonly name?: string;
  readonly description?: string;
}

/** `hawser publish HANDLE|FILE`: makes a file of a complete upload. */
export function publishCommand(): Command {
  return clientCommand("publish", "make a file of a complete upload; prints its id", examples)
    .argument("<handle|file>", "a handle, the local file it came from, or - to read it from stdin")
    .option("--name <name>", "what the file is to be called")
    .option("--description <text>", "what it is")
    .action((what: string, flags: PublishFlags) =>
      runClientCommand(flags, (signal) => publish(what, flags, signal)),
    );
}

const examples = `
Examples:
  hawser publish film.mp4                   after "hawser put film.mp4"
  hawser publish '4:ZmlsbS5tcDQ=:dmlkZW8…'  by the handle (quote it)
  hawser put film.mp4 --quiet --json | jq -r '.handle // empty' | hawser publish -
  hawser get "$(hawser publish film.mp4)"   and fetch it back`;

async function publish(what: string, flags: PublishFlags, signal: AbortSignal): Promise<ExitCode> {
  const target = await findTarget(flags);
  const { name, description } = flags;
  const store = openResumeStore();
  const { handle, remembered } = await findHandle(what, target, store);
  const id = await connect(target).publish(handle, { name, description }, signal);
  if (remembered !== undefined) {
    await store.put(remembered.key, { ...remembered.entry, fileId: id });
  }
  if (flags.json === true) printJson({ id });
  else print(id);
  if (flags.json !== true && isWatched()) note(`Fetch it with: hawser get ${id}`);
  return exitCodes.ok;
}

interface Found {
  readonly handle: string;
  /** When it was named by its file. */
  readonly remembered?: { readonly key: string; readonly entry: ResumeEntry };
}

async function findHandle(what: string, target: Target, store: ResumeStore): Promise<Found> {
  if (what === "-") return { handle: (await text(process.stdin)).trim() };
  // Handles hold colons, so do some file names: what exists as a file is meant as one. Digits alone
  // are a media id, which the client explains.
  // The colon behind a drive letter is a path's.
  const isPath = /^[a-z]:[\\/]/i.test(what);
  const isHandle = (what.includes(":") && !isPath) || /^\d+$/.test(what);
  if (isHandle && !existsSync(what)) return { handle: what };
  const remembered = await recall(what, target, store);
  const { handle } = remembered.entry;
  if (handle === undefined) {
    throw new CommandError(
      exitCodes.failed,
      `${what} is not uploaded completely yet`,
      `Finish it with: hawser put ${what}`,
    );
  }
  await refuseChanged(what, remembered.entry);
  return { handle, remembered };
}

/** Publishing what the file was some time ago is hardly what is meant. */
async function refuseChanged(file: string, entry: ResumeEntry): Promise<void> {
  if (!existsSync(file)) return;
  const source = await nodePlatform.openSource(file);
  await source.close();
  if (source.fingerprint === entry.fingerprint) return;
  throw new CommandError(
    exitCodes.failed,
    `${file} has changed since it was uploaded`,
    `Upload it again with "hawser put ${file}", or publish the old one by its handle ` +
      `("hawser status ${file}" shows it).`,
  );
}
