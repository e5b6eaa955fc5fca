import { join } from "node:path";
import envPaths from "env-paths";
import type { GraphClient, StandardDialect } from "hawser-client";
import { connectGraph, FileResumeStore } from "hawser-client";
import { readLocalCredentials } from "../service/local-credentials.ts";
import { exitCodes } from "./exit-codes.ts";
import { CommandError } from "./failure.ts";

export interface TargetFlags {
  readonly to?: string;
  readonly app?: string;
  readonly token?: string;
  readonly data?: string;
}

/** The server, app and token a command works with. */
export interface Target {
  /** In Graph without a slash at its end; in another dialect as it was given. */
  readonly url: string;
  /** In another dialect, which knows no apps, its name. */
  readonly appId: string;
  /** Empty where none is known, which is only so in another dialect. */
  readonly token: string;
}

/** Where a local server keeps what it has, unless told otherwise. */
const dataDirectoryDefault = "./hawser-data";

/**
 * Flags, then environment, then what a local server left. A local server's token is used for that
 * server only: it would otherwise be told to whatever address was given.
 *
 * @param dialect what is spoken, unless it is Graph
 */
export async function findTarget(flags: TargetFlags, dialect?: StandardDialect): Promise<Target> {
  const { HAWSER_URL, HAWSER_APP_ID, HAWSER_TOKEN, HAWSER_DATA } = process.env;
  const given = {
    url: trimmed(flags.to ?? HAWSER_URL),
    appId: nonEmpty(flags.app ?? HAWSER_APP_ID),
    token: nonEmpty(flags.token ?? HAWSER_TOKEN),
  };
  const dataDirectory = flags.data ?? nonEmpty(HAWSER_DATA) ?? dataDirectoryDefault;
  const local = await readLocalCredentials(dataDirectory);
  const usesLocal = local !== undefined && [undefined, trimmed(local.url)].includes(given.url);
  const url = given.url ?? trimmed(local?.url);
  const appId = given.appId ?? (usesLocal ? local.appId : undefined);
  const token = given.token ?? (usesLocal ? localToken(local) : undefined);
  if (url === undefined) throw nowhere(dataDirectory);
  if (dialect !== undefined) {
    const address = nonEmpty(flags.to ?? HAWSER_URL) ?? url;
    return { url: address, appId: dialect.name, token: token ?? "" };
  }
  if (appId === undefined) throw missing(`the app's id for ${url}`, "--app or HAWSER_APP_ID");
  if (token === undefined) throw missing(`a token for ${url}`, "--token or HAWSER_TOKEN");
  return { url, appId, token };
}

/** Where unfinished uploads are remembered. */
export function openResumeStore(): FileResumeStore {
  const { HAWSER_STATE } = process.env;
  return new FileResumeStore(join(nonEmpty(HAWSER_STATE) ?? stateDirectory(), "uploads"));
}

export function connect({ url, appId, token }: Target): GraphClient {
  return connectGraph({ url, appId, token });
}

function stateDirectory(): string {
  const paths = envPaths("hawser", { suffix: "" });
  // On Linux this is XDG's state directory; elsewhere logs may be cleaned away, data is not.
  return process.platform === "linux" ? paths.log : paths.data;
}

/** An app's own token, as Graph writes it, when no other is there. */
function localToken(local: { appId: string; appSecret?: string; token?: string }) {
  if (local.token !== undefined) return local.token;
  return local.appSecret === undefined ? undefined : `${local.appId}|${local.appSecret}`;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}

function trimmed(url: string | undefined): string | undefined {
  return nonEmpty(url)?.replace(/\/+$/, "");
}

function nowhere(dataDirectory: string): CommandError {
  return new CommandError(
    exitCodes.usage,
    `no server is named, and no local one has run in ${dataDirectory}`,
    'Start one with "hawser serve", or name one: --to URL --app ID --token TOKEN ' +
      "(Meta's own is https://graph.facebook.com).",
  );
}

function missing(what: string, where: string): CommandError {
  return new CommandError(exitCodes.usage, `${what} is missing`, `Give it with ${where}.`);
}
