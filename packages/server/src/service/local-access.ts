import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Apps } from "../access/apps.ts";
import { uploadScopes } from "../access/scopes.ts";
import type { Tokens } from "../access/tokens.ts";
import { asError, isVolumeFull } from "../base/errors.ts";
import type { EngineParts } from "../engine/parts.ts";
import type { Config } from "./config.ts";
import {
  credentialsFileName,
  readLocalCredentials,
  writeLocalCredentials,
  type LocalCredentials,
} from "./local-credentials.ts";

export interface LocalAccess {
  readonly appId: string;
  /** The token to show, on the very first start only and never a configured one. */
  readonly newToken: string | undefined;
  /** The file that has the token of an earlier start; undefined when none is kept. */
  readonly tokenPath: string | undefined;
}

interface AccessRooms {
  readonly engine: EngineParts;
  readonly apps: Apps;
  readonly tokens: Tokens;
}

/**
 * Sees to it that there is an app and a token to begin with: the configured ones, or ones made on
 * the first start, which the commands on this machine find in the data directory.
 */
export async function prepareLocalAccess(
  rooms: AccessRooms,
  config: Config,
  url: string,
): Promise<LocalAccess> {
  const known = await readLocalCredentials(config.dataDirectory);
  const app = await tryTwice(() => prepareApp(rooms, config, known?.appId));
  const { token: value } = config;
  if (value !== undefined) {
    const wanted = { appId: app.id, userId: "1", label: "configured", value };
    await tryTwice(() => rooms.tokens.create(wanted));
  }
  const isSameApp = known?.appId === app.id;
  const needsToken = config.token === undefined && (!isSameApp || known.token === undefined);
  const newToken = needsToken ? await makeToken(rooms, app.id) : undefined;
  const token = newToken ?? (isSameApp ? known.token : undefined);
  const adminToken = (isSameApp ? known.adminToken : undefined) ?? (await makeAdmin(rooms, app.id));
  const credentials: LocalCredentials = {
    url,
    appId: app.id,
    adminToken,
    ...(token === undefined ? {} : { token }),
    ...(config.appSecret === undefined ? { appSecret: app.secret } : {}),
  };
  await keep(rooms, config, { credentials, known });
  const isKept = newToken === undefined && token !== undefined;
  const tokenPath = isKept ? join(config.dataDirectory, credentialsFileName) : undefined;
  return { appId: app.id, newToken, tokenPath };
}

/** On a full disk what commands need to know of an earlier start does: only the address is another. */
async function keep(
  { engine }: AccessRooms,
  { dataDirectory }: Config,
  told: { readonly credentials: LocalCredentials; readonly known: LocalCredentials | undefined },
): Promise<void> {
  const { credentials, known } = told;
  try {
    await writeLocalCredentials(dataDirectory, credentials);
  } catch (error) {
    const isOldUsable = isDeepStrictEqual({ ...known, url: credentials.url }, credentials);
    if (!isVolumeFull(error) || !isOldUsable) throw error;
    engine.log.warn({ err: asError(error) }, "commands on this machine are not told the address");
  }
}

/** Another node may have made the same thing in the same moment: then it is there to be found. */
async function tryTwice<Result>(make: () => Promise<Result>): Promise<Result> {
  try {
    return await make();
  } catch {
    return await make();
  }
}

async function prepareApp(rooms: AccessRooms, config: Config, knownId: string | undefined) {
  const id = config.appId ?? knownId;
  const existing = id === undefined ? undefined : await rooms.apps.find(id);
  const { appSecret: secret = existing?.secret, appTypes: types = existing?.types } = config;
  if (existing === undefined) return rooms.apps.create({ id, secret, types, name: "local" });
  const isAsWanted = secret === existing.secret && String(types) === String(existing.types);
  if (isAsWanted) return existing;
  return (await rooms.apps.update(existing.id, { secret, types })) ?? existing;
}

async function makeToken({ engine, tokens }: AccessRooms, appId: string): Promise<string> {
  const userId = engine.random.numericId();
  const scopes = uploadScopes;
  return (await tokens.create({ appId, userId, scopes, label: "first start" })).token;
}

async function makeAdmin({ tokens }: AccessRooms, appId: string): Promise<string> {
  return (await tokens.create({ appId, scopes: ["admin"], label: "local commands" })).token;
}
