import type { Command } from "commander";
import { UploadError } from "hawser-client";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import { formatBytes } from "./amounts.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { choosePlace, download } from "./download.ts";
import { CommandError } from "./failure.ts";
import { note, print, printJson, tame } from "./output.ts";
import { persist } from "./persist.ts";
import { retryLine } from "./put-words.ts";
import { connect, findTarget } from "./target.ts";

interface GetFlags extends ClientFlags {
  readonly output?: string;
  readonly force?: boolean;
}

/** `hawser get FILE-ID`: fetches a published file. */
export function getCommand(): Command {
  return clientCommand("get", "fetch a published file; a partial one is gone on with", examples)
    .argument("<file-id>", 'what "hawser publish" printed')
    .option("-o, --output <path>", "where to put it; a directory keeps its name")
    .option("--force", "overwrite what is there")
    .action((fileId: string, flags: GetFlags) =>
      runClientCommand(flags, (signal) => get(fileId, flags, signal)),
    );
}

const examples = `
The file is written under a temporary name, checked against its CRC-32, then renamed.

Examples:
  hawser get 1234567890             under its own name, in this directory
  hawser get 1234567890 -o /tmp     in another directory
  hawser get 1234567890 -o a.pdf --force`;

async function get(fileId: string, flags: GetFlags, signal: AbortSignal): Promise<ExitCode> {
  const client = connect(await findTarget(flags));
  const onRetry = (error: UploadError, waitMs: number) => {
    if (flags.json !== true) note(retryLine(fileId, error.message, waitMs));
  };
  const attempt = () => client.file(fileId, signal);
  const found = await persist({ attempt, onRetry, signal }).catch(explainMissing);
  // Names are made of the id, so it is the one that was asked for, whatever the server calls it.
  const file = { ...found, id: fileId };
  const overwrite = flags.force === true;
  const place = await choosePlace(file, { wanted: flags.output, overwrite });
  const done = await download({ client, file, place, overwrite, onRetry, signal });
  if (flags.json === true) printJson({ id: fileId, path: place, ...done });
  else print(place);
  if (flags.json !== true) {
    const from = done.resumedFrom > 0 ? `, went on at ${formatBytes(done.resumedFrom)}` : "";
    const checked = done.crc32 === undefined ? "not checked" : "checksum right";
    note(`${tame(place)}: ${formatBytes(done.bytes)}, ${checked}${from}`);
  }
  return exitCodes.ok;
}

function explainMissing(error: unknown): never {
  if (!(error instanceof UploadError) || error.code !== "not-found") throw error;
  throw new CommandError(
    exitCodes.notFound,
    error.message,
    'Check the id ("hawser ls --files" shows what there is); a handle or an upload\'s id is no ' +
      "file id.",
  );
}
