import { Command, InvalidArgumentError } from "commander";
import { UploadError } from "../base/errors.ts";
import type { AdministrationApi } from "../service/administration.ts";
import { withLocalAdministration } from "../service/compose.ts";
import { ConfigError, readStorageConfig, type StorageConfig } from "../service/config.ts";
import { readLocalCredentials } from "../service/local-credentials.ts";
import { DirectoryOwnedError } from "../service/own-directory.ts";
import { runClientCommand } from "./client-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodeHelp, exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import type { Purpose } from "./lost-output.ts";
import { RemoteAdministration } from "./remote-administration.ts";

/** What every command takes that works on a data directory. */
export interface AdminFlags {
  readonly data?: string;
  readonly catalog?: string;
  readonly blobs?: string;
  readonly json?: boolean;
}

const elsewhereHelp = `Where a deployment keeps its catalog in Postgres or its bytes in
S3, --catalog and --blobs (or HAWSER_CATALOG and HAWSER_BLOBS) name them as for hawser serve.
`;

/** A command for the operator: through the server on this machine, or without one. */
export function adminCommand(name: string, description: string, examples: string): Command {
  const where = `
Works on the data directory of --data, HAWSER_DATA or ./hawser-data: through the server that runs
on it, or directly when none does. ${elsewhereHelp}`;
  return storageCommand(name, description, `${examples}\n${where}`);
}

/** A command for the operator that needs the data directory for itself. */
export function offlineCommand(name: string, description: string, examples: string): Command {
  const where = `
Works on the data directory of --data, HAWSER_DATA or ./hawser-data, on which no server may run
meanwhile. ${elsewhereHelp}`;
  return storageCommand(name, description, `${examples}\n${where}`);
}

/** A command that is told where a deployment keeps what it has. */
export function storageCommand(name: string, description: string, help: string): Command {
  return new Command(name)
    .description(description)
    .option("--data <directory>", "the server's data directory (HAWSER_DATA)")
    .option(
      "--catalog <url>",
      "the Postgres database of a deployment that has one (HAWSER_CATALOG)",
    )
    .option("--blobs <url>", "the S3-compatible store of a deployment that has one (HAWSER_BLOBS)")
    .option("--json", "results and errors as JSON, one object a line")
    .showHelpAfterError("(--help shows examples)")
    .addHelpText("after", `${help}${exitCodeHelp}`)
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    });
}

/** A command that only holds others. */
export function adminGroup(name: string, description: string, commands: readonly Command[]) {
  const group = new Command(name).description(description).exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  });
  for (const command of commands) group.addCommand(command);
  return group;
}

/** Runs a command's work against the server that runs, or on the directory itself. */
export async function runAdminCommand(
  flags: AdminFlags,
  work: (administration: AdministrationApi) => Promise<ExitCode>,
  purpose: Purpose = "doing",
): Promise<void> {
  const interruptible = async (signal: AbortSignal) => {
    // Every change is one durable step, so there is nothing to wind up first.
    signal.addEventListener("abort", () => process.exit(exitCodes.interrupted));
    try {
      return await withAdministration(storageConfigOf(flags), work);
    } catch (error) {
      throw error instanceof UploadError ? commandError(error) : error;
    }
  };
  await runClientCommand(flags, interruptible, purpose);
}

async function withAdministration<Result>(
  config: StorageConfig,
  work: (administration: AdministrationApi) => Promise<Result>,
): Promise<Result> {
  try {
    return await withLocalAdministration(config, work);
  } catch (error) {
    if (!(error instanceof DirectoryOwnedError)) throw error;
  }
  const { dataDirectory } = config;
  const credentials = await readLocalCredentials(dataDirectory);
  if (credentials?.adminToken === undefined) {
    throw new CommandError(
      exitCodes.failed,
      `another process is using ${dataDirectory}, and it left no way to reach it`,
      "Wait until it has started or ended, then run the same command again.",
    );
  }
  return await work(new RemoteAdministration(credentials.url, credentials.adminToken));
}

/** Where the flags, the environment or the defaults say that everything is. */
export function storageConfigOf({ data, catalog, blobs }: AdminFlags): StorageConfig {
  try {
    return readStorageConfig({ flags: { data, catalog, blobs }, environment: process.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new CommandError(exitCodes.usage, error.message, "--help shows the options.");
  }
}

function commandError(error: UploadError): Error {
  const { code, facts } = error.detail;
  if (code !== "parameter_invalid") return error;
  const message = `${facts.name} ${facts.problem}`;
  return new CommandError(exitCodes.usage, message, `Give ${facts.valid}.`);
}

export function readWholeNumber(text: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("Give a whole number, 1 or more.");
}

/** `a,b` as a list. */
export function readList(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.includes("")) return parts;
  throw new InvalidArgumentError("Give a list such as a,b.");
}
