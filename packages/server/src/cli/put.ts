import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { nodePlatform } from "hawser-client";
import { systemClock } from "../base/clock.ts";
import { formatBytes, readBytes } from "./amounts.ts";
import type { ClientFlags } from "./client-command.ts";
import { clientCommand, runClientCommand } from "./client-command.ts";
import { dialects } from "./dialects.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import type { Found } from "./found-files.ts";
import { findFiles } from "./found-files.ts";
import { pacedTransport, RateLimit } from "./paced-transport.ts";
import { PutBatch } from "./put-batch.ts";
import { openDisplay } from "./put-display.ts";
import { TallyKeeper } from "./put-tally.ts";
import { findTarget } from "./target.ts";

interface PutFlags extends ClientFlags {
  readonly type?: string;
  readonly name?: string;
  readonly publish?: boolean;
  readonly fresh?: boolean;
  readonly dialect: string;
  readonly parallel: number;
  readonly retries: number;
  readonly limitRate?: number;
  readonly stdinMax: number;
  readonly quiet?: boolean;
}

/** `hawser put FILE…`: uploads files, going on with what an earlier run left unfinished. */
export function putCommand(): Command {
  return clientCommand(
    "put",
    "upload files and folders; the same command again goes on after a stop",
    examples,
  )
    .argument("<file...>", "files, folders, patterns such as '*.pdf', or - for standard input")
    .option("--type <type>", "media type such as application/pdf (guessed unless given)")
    .option("--name <name>", "file name told to the server (one file only)")
    .option("--publish", "publish each file when it is up; prints its file id, not the handle")
    .option("--parallel <count>", "files at the same time", readParallel, 3)
    .option("--limit-rate <rate>", "bytes a second for all files together: 2MB, 500KiB", readRate)
    .option("--retries <count>", "tries without progress before giving a file up", readRetries, 9)
    .addOption(stdinMaxOption())
    .addOption(dialectOption())
    .option("--fresh", "ignore what an earlier run left and start from the beginning")
    .option("--quiet", "only results and errors")
    .action((files: string[], flags: PutFlags) =>
      runClientCommand(flags, (signal) => put(files, flags, signal)),
    );
}

const examples = `
Prints "name  handle" for each file on stdout. The handle proves that the upload is complete:
publish it here, or give it to a Meta endpoint that takes handles. Of a folder every file is
uploaded, also those in folders in it; links and special files in it are named and skipped.

Examples:
  hawser put film.mp4                  to the local server; then: hawser publish film.mp4
  hawser put *.pdf --publish           upload and publish; prints file ids
  hawser put photos/ --limit-rate 2MB  a folder, at 2 MB a second
  convert scan.tiff pdf:- | hawser put - --name scan.pdf --type application/pdf
  hawser put photo.jpg --json          {"event":"done","file":"photo.jpg","handle":"4:…",…}
  hawser put film.mp4 --to https://graph.facebook.com --app 1234567890   to Meta itself
  hawser put film.mp4 --dialect tus --to https://host/files/             to any tus server
After Ctrl-C, a crash or a lost network run the same command again: it goes on where it stopped.`;

function stdinMaxOption(): Option {
  return new Option("--stdin-max <size>", "the most that is taken from standard input")
    .argParser(readSize)
    .default(10 * 2 ** 30, "10GiB");
}

function dialectOption(): Option {
  return new Option("--dialect <name>", "what to speak: tus and ietf work with any such server")
    .choices(Object.keys(dialects))
    .default("graph");
}

function readParallel(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1 && count <= 64) return count;
  throw new InvalidArgumentError("Give a whole number from 1 to 64.");
}

function readRetries(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 1_000_000) return count;
  throw new InvalidArgumentError("Give a whole number, 0 or more.");
}

function readRate(text: string): number {
  return readSize(text.replace(/\/s$/i, ""));
}

function readSize(text: string): number {
  const bytes = readBytes(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError("Give an amount such as 500KB, 2MB or 1.5GiB.");
}

async function put(named: string[], flags: PutFlags, signal: AbortSignal): Promise<ExitCode> {
  const found = await findFiles(named);
  refuseWrongFlags(found, flags);
  const dialect = dialects[flags.dialect];
  const target = await findTarget(flags, dialect);
  const { limitRate, publish, quiet, json, ...settings } = flags;
  const tally = new TallyKeeper();
  const display = openDisplay({
    json: json === true,
    quiet: quiet === true,
    // A server of another dialect may know nothing of it.
    publish: publish === true || dialect !== undefined,
    isMeta: URL.parse(target.url)?.hostname.endsWith("facebook.com") ?? false,
  });
  const transport =
    limitRate === undefined
      ? nodePlatform.transport
      : pacedTransport(nodePlatform.transport, new RateLimit(limitRate, systemClock));
  const batch = new PutBatch({
    target,
    settings: { ...settings, publish, dialect },
    display,
    tally,
    transport,
    signal,
  });
  try {
    return await batch.run(found);
  } finally {
    display.close(tally.read(), signal.aborted);
  }
}

/** Below this a server takes a sender for dead. */
const rateMin = 2048;

function refuseWrongFlags(found: readonly Found[], flags: PutFlags): void {
  const { name, limitRate, parallel, publish, dialect } = flags;
  if (publish === true && dialect !== "graph") {
    const hint = "Leave --dialect out, or publish the handle that is printed (hawser publish).";
    throw new CommandError(exitCodes.usage, `--publish is not there in ${dialect}`, hint);
  }
  const files = found.filter(({ kind }) => kind === "file" || kind === "input");
  if (name !== undefined && files.length > 1) {
    const hint = "Upload the files one by one, or leave --name out.";
    throw new CommandError(exitCodes.usage, "--name is for one file only", hint);
  }
  const least = rateMin * Math.max(Math.min(parallel, files.length), 1);
  if (limitRate !== undefined && limitRate < least) {
    const hint = `Give ${formatBytes(least)} or more, or fewer files at the same time (--parallel).`;
    throw new CommandError(exitCodes.usage, `--limit-rate is too low for so many files`, hint);
  }
}
