import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { GraphPage, ListOptions, PublishedFile, UploadRecord } from "hawser-client";
import { formatBytes, formatShare } from "./amounts.ts";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { note, print, printJson, table, tame } from "./output.ts";
import { connect, findTarget } from "./target.ts";

const pageLength = 100;

interface LsFlags extends ClientFlags {
  readonly files?: boolean;
  readonly status?: string;
  readonly limit: number;
}

/** `hawser ls [--files]`: the app's uploads, or its published files. */
export function lsCommand(): Command {
  return clientCommand("ls", "list uploads, or published files with --files", examples)
    .option("--files", "published files instead of uploads")
    .option("--status <state>", "only uploads in this state, such as open or complete")
    .option("--limit <count>", "show at most so many", readLimit, 100)
    .action((flags: LsFlags) =>
      runClientCommand(flags, (signal) => list(flags, signal), "showing"),
    );
}

const examples = `
Examples:
  hawser ls                     the uploads of the app
  hawser ls --status open       only those that are not complete
  hawser ls --files             what has been published
  hawser ls --files --json | jq -r .id`;

function readLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new InvalidArgumentError("Give a whole number, 1 or more.");
}

async function list(flags: LsFlags, signal: AbortSignal): Promise<ExitCode> {
  const client = connect(await findTarget(flags));
  const { limit, status } = flags;
  if (flags.files === true) {
    const files = await collect((page) => client.listFiles({ ...page, signal }), limit);
    show(files, flags, [["ID", "SIZE", "TYPE", "CREATED", "NAME"], fileRow]);
  } else {
    const read = (page: ListOptions) => client.listUploads({ ...page, status, signal });
    show(await collect(read, limit), flags, [["STATE", "DONE", "SIZE", "NAME", "ID"], uploadRow]);
  }
  return exitCodes.ok;
}

async function collect<T>(read: (page: ListOptions) => Promise<GraphPage<T>>, limit: number) {
  const entries: T[] = [];
  let after: string | undefined;
  do {
    const page = await read({ after, limit: Math.min(pageLength, limit - entries.length) });
    entries.push(...page.entries);
    // A server that answers the same cursor again would otherwise be asked for ever.
    after = page.after === after ? undefined : page.after;
  } while (after !== undefined && entries.length < limit);
  return entries;
}

function show<T extends object>(
  entries: readonly T[],
  flags: LsFlags,
  [heading, toRow]: readonly [readonly string[], (entry: T) => string[]],
): void {
  if (flags.json === true) {
    for (const entry of entries) printJson(entry);
    return;
  }
  if (entries.length === 0) {
    note(flags.files === true ? "No published files." : 'No uploads. "hawser put FILE" makes one.');
    return;
  }
  for (const line of table([heading, ...entries.map(toRow)])) print(line);
}

function fileRow(file: PublishedFile): string[] {
  const size = file.size === undefined ? "-" : formatBytes(file.size);
  return [file.id, size, file.type ?? "-", file.createdAt ?? "-", file.name ?? "-"].map(tame);
}

function uploadRow(upload: UploadRecord): string[] {
  const { offset = 0, length } = upload;
  const share = length === undefined ? "-" : formatShare(offset, length);
  const size = length === undefined ? "-" : formatBytes(length);
  return [upload.status ?? "-", share, size, upload.name ?? "-", upload.id].map(tame);
}
