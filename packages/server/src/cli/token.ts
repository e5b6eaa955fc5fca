import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { AdministrationApi, Scope } from "../service/administration.ts";
import { allScopes, isScope } from "../service/administration.ts";
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
import { note, print, printJson } from "./output.ts";

interface TokenCreateFlags extends AdminFlags {
  readonly app: string;
  readonly scopes?: readonly Scope[];
  readonly user?: string;
  readonly label?: string;
  readonly expiresInSeconds?: number;
}

interface TokenListFlags extends AdminFlags {
  readonly app?: string;
}

/** `hawser token create|list|revoke`. */
export function tokenCommand(): Command {
  return adminGroup("token", "create, list and revoke access tokens", [
    adminCommand("create", "create an access token; it is shown this once", createExamples)
      .requiredOption("--app <id>", "the app it is for")
      .option("--scopes <list>", `what it may do, of ${allScopes.join(",")}`, readScopes)
      .option("--user <id>", "the numeric user it speaks for")
      .option("--label <text>", "a note about what it is for")
      .option("--expires-in-seconds <seconds>", "how long it is valid", readWholeNumber)
      .action((flags: TokenCreateFlags) =>
        runAdminCommand(flags, (administration) => create(flags, administration)),
      ),
    adminCommand("list", "list access tokens, never the tokens themselves", listExamples)
      .option("--app <id>", "only this app's")
      .action((flags: TokenListFlags) =>
        runAdminCommand(flags, (administration) => list(flags, administration), "showing"),
      ),
    adminCommand("revoke", "make a token invalid at once", revokeExamples)
      .argument("<id|token>", "the token's id, or the token itself")
      .action((named: string, flags: AdminFlags) =>
        runAdminCommand(flags, async (administration) =>
          tellRevoked(await administration.revokeToken(named), flags),
        ),
      ),
  ]);
}

const createExamples = `
Examples:
  hawser token create --app 1234567890123456 --scopes create,append,read
  hawser token create --app 1234567890123456 --expires-in-seconds 3600 --json | jq -r .token`;

const listExamples = `
Examples:
  hawser token list
  hawser token list --app 1234567890123456 --json`;

const revokeExamples = `
Examples:
  hawser token revoke 5f0c54a4-5d4e-4a3e-9a57-0e6f3b1c9a7d`;

function readScopes(text: string): Scope[] {
  const scopes = readList(text);
  if (scopes.every(isScope)) return scopes;
  throw new InvalidArgumentError(`Give some of ${allScopes.join(",")}.`);
}

async function create(
  flags: TokenCreateFlags,
  administration: AdministrationApi,
): Promise<ExitCode> {
  const { app, scopes, user, label, expiresInSeconds } = flags;
  const created = await administration.createToken({
    appId: app,
    scopes,
    userId: user,
    label,
    expiresAt: expiresInSeconds === undefined ? undefined : timeIn(expiresInSeconds),
  });
  printFields(created, flags.json === true);
  if (flags.json !== true) note("Keep the token now; only its hash is stored.");
  return exitCodes.ok;
}

/** The last moment that a Date can hold. */
const dateMsMax = 8.64e15;

function timeIn(seconds: number): string {
  return new Date(Math.min(Date.now() + seconds * 1000, dateMsMax)).toISOString();
}

async function list(flags: TokenListFlags, administration: AdministrationApi): Promise<ExitCode> {
  const tokens = await administration.listTokens(flags.app);
  if (tokens.length === 0 && flags.json !== true) note("No tokens.");
  else {
    const fields = ["id", "appId", "userId", "scopes", "expiresAt", "revokedAt", "label"];
    printList(tokens, fields, flags.json === true);
  }
  return exitCodes.ok;
}

function tellRevoked(revoked: boolean, flags: AdminFlags): ExitCode {
  if (!revoked) {
    throw new CommandError(
      exitCodes.notFound,
      "there is no such token, or it was revoked before",
      '"hawser token list" shows which there are.',
    );
  }
  if (flags.json === true) printJson({ revoked });
  else print("revoked");
  return exitCodes.ok;
}
