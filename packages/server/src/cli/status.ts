import type { GraphClient, UploadRecord } from "hawser-client";
import { UploadError } from "hawser-client";
import type { Command } from "commander";
import { formatBytes, formatShare } from "./amounts.ts";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { findUpload } from "./known-upload.ts";
import { print, printJson, table, tame } from "./output.ts";
import { connect, findTarget, openResumeStore } from "./target.ts";

const fields = ["file_length", "status", "crc32", "expires_at", "h"];

/** `hawser status ID|FILE`: how far an upload is, as the server tells it. */
export function statusCommand(): Command {
  return clientCommand("status", "show how far an upload is", examples)
    .argument("<id|file>", "an upload's id, or the local file it was made from")
    .action((named: string, flags: ClientFlags) =>
      runClientCommand(flags, (signal) => status(named, flags, signal)),
    );
}

const examples = `
Examples:
  hawser status film.mp4            how far the upload of this file is
  hawser status 'upload:MTphdH…'    the same by the upload's id (quote it: it holds ? and =)
  hawser status film.mp4 --json`;

async function status(named: string, flags: ClientFlags, signal: AbortSignal): Promise<ExitCode> {
  const target = await findTarget(flags);
  const { id, label, remembered } = await findUpload(named, target, openResumeStore());
  const upload = await ask(connect(target), id, signal);
  const fileId = remembered?.entry.fileId;
  if (flags.json === true) printJson({ ...upload, fileId });
  else for (const line of describe(label, { ...upload, fileId })) print(line);
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
