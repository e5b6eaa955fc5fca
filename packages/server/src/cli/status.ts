import type { GraphClient, UploadRecord } from "hawser-client";
import { UploadError } from "hawser-client";
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { formatBytes, formatShare } from "./amounts.ts";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import type { KnownUpload } from "./known-upload.ts";
import { findUpload } from "./known-upload.ts";
import { print, printJson, table, tame } from "./output.ts";
import { watchStatus } from "./status-watch.ts";
import { connect, findTarget, openResumeStore } from "./target.ts";

interface StatusFlags extends ClientFlags {
  readonly watch?: boolean;
  readonly interval: number;
}

const fields = ["file_length", "status", "crc32", "expires_at", "h"];

/** `hawser status ID|FILE`: how far an upload is, as the server tells it. */
export function statusCommand(): Command {
  return clientCommand("status", "show how far an upload is", examples)
    .argument("<id|file>", "an upload's id, or the local file it was made from")
    .option("--watch", "look again and again until the upload is complete")
    .option("--interval <seconds>", "how often to look with --watch", readSeconds, 1)
    .action((named: string, flags: StatusFlags) =>
      runClientCommand(
        flags,
        (signal) => status(named, flags, signal),
        // The end of a watch says that the upload is complete.
        flags.watch === true ? "doing" : "showing",
      ),
    );
}

const examples = `
Examples:
  hawser status film.mp4            how far the upload of this file is
  hawser status 'upload:MTphdH…'    the same by the upload's id (quote it: it holds ? and =)
  hawser status film.mp4 --watch    a bar until it is complete; with --json a line a change
  hawser status film.mp4 --json`;

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds >= 0.1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("Give seconds from 0.1 to 86400.");
}

async function status(named: string, flags: StatusFlags, signal: AbortSignal): Promise<ExitCode> {
  const target = await findTarget(flags);
  const known = await findUpload(named, target, openResumeStore());
  const { label } = known;
  const json = flags.json === true;
  const client = connect(target);
  const look = () => lookAt(client, known, signal);
  if (flags.watch !== true) return tell(label, await look(), json);
  const intervalMs = flags.interval * 1000;
  const { seen, exitCode } = await watchStatus({ look, label, json, intervalMs, signal });
  // As JSON it was the last line already.
  if (seen !== undefined && !json) tell(label, seen, json);
  return exitCode;
}

async function lookAt(client: GraphClient, known: KnownUpload, signal: AbortSignal) {
  const entry = known.remembered?.entry;
  const upload = await ask(client, known.id, signal);
  // A service that tells the offset alone does not know the file, but this machine may.
  return { ...upload, length: upload.length ?? entry?.length, fileId: entry?.fileId };
}

function tell(label: string, upload: Shown, json: boolean): ExitCode {
  if (json) printJson(upload);
  else for (const line of describe(label, upload)) print(line);
  return exitCodes.ok;
}

/** A service that knows only the offset may refuse to be asked for more. */
async function ask(client: GraphClient, id: string, signal: AbortSignal) {
  try {
    return await client.status(id, fields, signal);
  } catch (error) {
    if (!(error instanceof UploadError) || error.facts.status !== 400) throw error;
    return client.status(id, [], signal);
  }
}

interface Shown extends UploadRecord {
  readonly offset: number;
  /** When this machine remembers to have published it. */
  readonly fileId: string | undefined;
}

function describe(label: string, upload: Shown): string[] {
  const { offset, length } = upload;
  const progress =
    length === undefined
      ? formatBytes(offset)
      : `${formatBytes(offset)} of ${formatBytes(length)} (${formatShare(offset, length)})`;
  const rows: [string, string | undefined][] = [
    ["state", upload.status],
    ["uploaded", progress],
    ["offset", String(offset)],
    ["crc32", upload.crc32],
    ["expires", upload.expiresAt],
    ["id", upload.id],
    ["handle", upload.handle],
    ["file id", upload.fileId],
  ];
  const known = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [[`  ${name}`, name === "handle" ? value : tame(value)]],
  );
  return [tame(label), ...table(known)];
}
