import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { limits } from "../base/limits.ts";
import type { AdministrationApi, AppChanges } from "../service/administration.ts";
import type { AdminFlags } from "./admin-command.ts";
import {
  adminCommand,
  adminGroup,
  readList,
  readWholeNumber,
  runAdminCommand,
} from "./admin-command.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";
import { printFields, printList } from "./fields.ts";
import { note } from "./output.ts";

interface AppFlags extends AdminFlags {
  readonly secret?: string;
  readonly name?: string;
  readonly types?: readonly string[];
  readonly lengthMax?: number;
  readonly lifetimeSeconds?: number;
  readonly contentPolicy?: "off" | "warn" | "reject";
  readonly digestPolicy?: "on_request" | "on_publish";
  readonly roomBytesMax?: number | "none";
}

interface AppCreateFlags extends AppFlags {
  readonly id?: string;
}

/** `hawser app create|list|show|update`. */
export function appCommand(): Command {
  return adminGroup("app", "create, list, show and change apps", [
    withAppOptions(adminCommand("create", "create an app", createExamples))
      .option("--id <id>", "its id, up to 20 digits; one is made without")
      .action((flags: AppCreateFlags) =>
        runAdminCommand(flags, (administration) => create(flags, administration)),
      ),
    adminCommand("list", "list the apps", listExamples).action((flags: AdminFlags) =>
      runAdminCommand(flags, (administration) => list(flags, administration), "showing"),
    ),
    adminCommand("show", "show an app with its secret", showExamples)
      .argument("<id>", "the app's id")
      .action((id: string, flags: AdminFlags) =>
        runAdminCommand(
          flags,
          async (administration) => show(await administration.showApp(id), { id, flags }),
          "showing",
        ),
      ),
    withAppOptions(adminCommand("update", "change an app", updateExamples))
      .argument("<id>", "the app's id")
      .action((id: string, flags: AppFlags) =>
        runAdminCommand(flags, async (administration) =>
          show(await administration.updateApp(id, changesOf(flags)), { id, flags }),
        ),
      ),
  ]);
}

const createExamples = `
Examples:
  hawser app create --name photos --types image/jpeg,image/png --length-max 104857600
  hawser app create --id 1234567890123456 --json`;

const listExamples = `
Examples:
  hawser app list
  hawser app list --json | jq -r .id`;

const showExamples = `
Examples:
  hawser app show 1234567890123456
  hawser app show 1234567890123456 --json | jq -r .secret`;

const updateExamples = `
Examples:
  hawser app update 1234567890123456 --content-policy reject
  hawser app update 1234567890123456 --digest-policy on_publish --room-bytes-max 10737418240`;

function withAppOptions(command: Command): Command {
  return command
    .option("--secret <secret>", "its secret")
    .option("--name <name>", "its name")
    .option("--types <list>", "the media types its uploads may have", readList)
    .option("--length-max <bytes>", "the longest upload", readWholeNumber)
    .option("--lifetime-seconds <seconds>", "how long an upload stays open", readLifetime)
    .addOption(
      new Option("--content-policy <policy>", "when bytes are not of the declared type").choices([
        "off",
        "warn",
        "reject",
      ]),
    )
    .addOption(
      new Option("--digest-policy <policy>", "when a file's SHA-256 is computed").choices([
        "on_request",
        "on_publish",
      ]),
    )
    .option(
      "--room-bytes-max <bytes>",
      'what all open uploads together may still bring; "none" is no cap',
      readCap,
    );
}

function readCap(text: string): number | "none" {
  if (text === "none") return text;
  const bytes = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError('Give a whole number, 1 or more, or "none".');
}

function readLifetime(text: string): number {
  const seconds = readWholeNumber(text);
  const most = limits.lifetimeMsMax / 1000;
  if (seconds <= most) return seconds;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${most}.`);
}

function changesOf(flags: AppFlags): AppChanges {
  const { secret, name, types, lengthMax, lifetimeSeconds } = flags;
  const { contentPolicy, digestPolicy } = flags;
  const roomBytesMax = flags.roomBytesMax === "none" ? null : flags.roomBytesMax;
  const lifetimeMs = lifetimeSeconds === undefined ? undefined : lifetimeSeconds * 1000;
  const policies = { contentPolicy, digestPolicy, roomBytesMax };
  return { secret, name, types, lengthMax, lifetimeMs, ...policies };
}

async function create(flags: AppCreateFlags, administration: AdministrationApi): Promise<ExitCode> {
  const app = await administration.createApp({ ...changesOf(flags), id: flags.id });
  printFields(app, flags.json === true);
  return exitCodes.ok;
}

async function list(flags: AdminFlags, administration: AdministrationApi): Promise<ExitCode> {
  const apps = await administration.listApps();
  if (apps.length === 0 && flags.json !== true) note('No apps. "hawser app create" makes one.');
  else printList(apps, ["id", "name", "types"], flags.json === true);
  return exitCodes.ok;
}

function show(
  app: object | undefined,
  { id, flags }: { readonly id: string; readonly flags: AdminFlags },
): ExitCode {
  if (app === undefined) {
    const hint = '"hawser app list" shows which there are.';
    throw new CommandError(exitCodes.notFound, `there is no app ${id}`, hint);
  }
  printFields(app, flags.json === true);
  return exitCodes.ok;
}
