import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { asError } from "../base/errors.ts";
import { isLoopback } from "../access/loopback.ts";
import type { ConfigOption } from "./config-options.ts";
import { configOptions } from "./config-options.ts";

export { configOptions } from "./config-options.ts";
export type { ConfigOption } from "./config-options.ts";

/** Where everything is kept. */
export interface StorageConfig {
  readonly dataDirectory: string;
  /** Of Postgres; a file in the data directory when undefined. */
  readonly catalogUrl?: string;
  readonly catalogConnections: number;
  /** Of a bucket; files in the data directory when undefined. */
  readonly blobsUrl?: string;
  readonly key?: string;
}

/** What the operator decided. */
export interface Config extends StorageConfig {
  readonly host: string;
  readonly port: number;
  readonly migrate: boolean;
  readonly assemble: "on-publish" | "background" | "never";
  readonly redirectDownloads: boolean;
  /** Without a slash at its end. */
  readonly publicUrl?: string;
  readonly trustProxy: boolean;
  /** Origins whose web pages may call the protocols; `*` is every one. */
  readonly corsOrigins: "*" | readonly string[];
  /** Whether interim answers of the IETF draft are sent. */
  readonly interimAnswers: boolean;
  /** Whether requests from this machine need no token. */
  readonly open: boolean;
  readonly graphMode: "documented";
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly appId?: string;
  readonly appSecret?: string;
  readonly appTypes?: readonly string[];
  readonly token?: string;
  readonly handleLifetimeMs: number;
  readonly sweepIntervalMs: number;
  /** Bytes that stay free on the data directory's volume; a share of it when undefined. */
  readonly softRoomBytes?: number;
  readonly hardRoomBytes?: number;
  /** Threads of Node's pool, set by the command before anything uses it. */
  readonly threadPoolSize: number;
}

/** An option is wrong; the message names it and says what would be right. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export interface ConfigSources {
  /** By option name, as `graph-mode` or `graphMode`. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile?: (path: string) => string;
}

const allOptions: readonly ConfigOption[] = Object.values(configOptions);
/** The file cannot name another file. */
const fileOptions = allOptions.filter(({ key }) => key !== configOptions.config.key);

/** Names that belong to the commands that talk to a server, and to the tests. */
const foreignVariables: readonly string[] = ["HAWSER_URL", "HAWSER_STATE"];
const testVariablePrefix = "HAWSER_TEST_";

/** The only reader of options: flags, then environment, then the file, then defaults. */
export function readConfig(sources: ConfigSources): Config {
  refuseUnknownVariables(sources.environment);
  const reader = new OptionReader(sources);
  const publicUrl = reader.find(configOptions.publicUrl);
  const appId = reader.find(configOptions.appId);
  const appSecret = reader.find(configOptions.appSecret);
  const appTypes = reader.find(configOptions.appTypes);
  const token = reader.find(configOptions.token);
  const softRoomBytes = reader.find(configOptions.softRoomBytes);
  const hardRoomBytes = reader.find(configOptions.hardRoomBytes);
  return Object.freeze({
    host: reader.get(configOptions.host),
    port: reader.get(configOptions.port),
    ...storageOf(reader),
    migrate: reader.get(configOptions.migrate),
    assemble: reader.get(configOptions.assemble),
    redirectDownloads: reader.get(configOptions.redirectDownloads),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    trustProxy: reader.get(configOptions.trustProxy),
    corsOrigins: reader.get(configOptions.corsOrigins),
    interimAnswers: reader.get(configOptions.interimAnswers),
    open: openOf(reader),
    graphMode: reader.get(configOptions.graphMode),
    logLevel: reader.get(configOptions.logLevel),
    ...(appId === undefined ? {} : { appId }),
    ...(appSecret === undefined ? {} : { appSecret }),
    ...(appTypes === undefined ? {} : { appTypes }),
    ...(token === undefined ? {} : { token }),
    handleLifetimeMs: reader.get(configOptions.handleLifetimeSeconds) * 1000,
    sweepIntervalMs: reader.get(configOptions.sweepIntervalSeconds) * 1000,
    ...(softRoomBytes === undefined ? {} : { softRoomBytes }),
    ...(hardRoomBytes === undefined ? {} : { hardRoomBytes }),
    threadPoolSize: Number(sources.environment.UV_THREADPOOL_SIZE ?? 4),
  });
}

/** Whoever reaches the port may do everything then: it must be within this machine. */
function openOf(reader: OptionReader): boolean {
  const open = reader.get(configOptions.open);
  const host = reader.get(configOptions.host);
  if (open && !isLoopback(host)) {
    throw new ConfigError(`--open is for trials on this machine: --host ${host} is not within it.`);
  }
  return open;
}

/** The part of it that commands need which work on what is stored. */
export function readStorageConfig(sources: ConfigSources): StorageConfig {
  return Object.freeze(storageOf(new OptionReader(sources)));
}

function storageOf(reader: OptionReader): StorageConfig {
  const catalogUrl = reader.find(configOptions.catalog);
  const blobsUrl = reader.find(configOptions.blobs);
  const key = reader.find(configOptions.key);
  return {
    dataDirectory: reader.get(configOptions.data),
    catalogConnections: reader.get(configOptions.catalogConnections),
    ...(catalogUrl === undefined ? {} : { catalogUrl }),
    ...(blobsUrl === undefined ? {} : { blobsUrl }),
    ...(key === undefined ? {} : { key }),
  };
}

class OptionReader {
  readonly #flags: ReadonlyMap<string, string>;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #file: ReadonlyMap<string, string>;
  readonly #path: string | undefined;

  constructor({ flags, environment, readFile = readTextFile }: ConfigSources) {
    this.#flags = new Map(
      Object.entries(flags)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => [dashed(name), String(value)]),
    );
    this.#environment = environment;
    this.#file = new Map();
    this.#path = this.find(configOptions.config);
    if (this.#path !== undefined) this.#file = readOptionsFile(this.#path, readFile);
  }

  find<Value>(option: ConfigOption<Value>): Value | undefined {
    const given = this.#given(option);
    if (given === undefined) return undefined;
    const result = option.type.safeParse(given.text);
    if (result.success) return result.data;
    const problem = result.error.issues[0]?.message ?? "it is not valid";
    const value = option.isSecret ? "" : ` is ${JSON.stringify(given.text)}`;
    throw new ConfigError(`${given.name}${value}: ${problem}.`);
  }

  /** For options with a default, which are always there. */
  get<Value>(option: ConfigOption<Value>): Value {
    const value = this.find(option);
    if (value === undefined) throw new ConfigError(`--${option.key} is missing.`);
    return value;
  }

  #given({ key, env, default: text }: ConfigOption): { name: string; text: string } | undefined {
    const flag = this.#flags.get(key);
    if (flag !== undefined) return { name: `--${key}`, text: flag };
    // Compose files and shells set empty variables where they mean none.
    const variable = this.#environment[env];
    if (variable !== undefined && variable !== "") return { name: env, text: variable };
    const entry = this.#file.get(key);
    if (entry !== undefined) return { name: `${key} in ${this.#path ?? "the file"}`, text: entry };
    return text === undefined ? undefined : { name: `--${key}`, text };
  }
}

/** `graphMode` and `graph.mode` as `graph-mode`. */
function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll(".", "-");
}

function refuseUnknownVariables(environment: ConfigSources["environment"]): void {
  const known = [...allOptions.map(({ env }) => env), ...foreignVariables];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("HAWSER_") || name.startsWith(testVariablePrefix)) continue;
    if (!known.includes(name)) {
      throw new ConfigError(`${name} is not an option. Did you mean ${closest(name, known)}?`);
    }
  }
}

function readTextFile(path: string): string {
  return readFileSync(path, "utf8");
}

function readOptionsFile(
  path: string,
  readFile: (path: string) => string,
): ReadonlyMap<string, string> {
  let content: unknown;
  try {
    // Failsafe: every scalar stays text, so that a long app id loses no digit.
    content = parseYaml(readFile(path), { schema: "failsafe" });
  } catch (error) {
    throw new ConfigError(`--config ${path} cannot be read: ${asError(error).message}`);
  }
  const found = new Map<string, string>();
  if (content === null || content === undefined || content === "") return found;
  const root = mapping.safeParse(content);
  if (!root.success) throw new ConfigError(`--config ${path} is not a list of "option: value".`);
  collect(root.data, { path, prefix: "", found });
  return found;
}

const mapping = z.record(z.string(), z.unknown());

interface Collecting {
  readonly path: string;
  readonly prefix: string;
  readonly found: Map<string, string>;
}

function collect(entries: Readonly<Record<string, unknown>>, into: Collecting): void {
  const { path, prefix, found } = into;
  const known = fileOptions.map(({ key }) => key);
  for (const [name, value] of Object.entries(entries)) {
    const key = `${prefix}${name.replaceAll(".", "-")}`;
    const inner = mapping.safeParse(value);
    if (inner.success && !known.includes(key)) {
      collect(inner.data, { path, prefix: `${key}-`, found });
      continue;
    }
    if (!known.includes(key)) {
      const suggestion = closest(key, known);
      throw new ConfigError(`${key} in ${path} is not an option. Did you mean ${suggestion}?`);
    }
    if (typeof value !== "string") throw new ConfigError(`${key} in ${path} is not one value.`);
    if (found.has(key)) throw new ConfigError(`${key} in ${path} is given twice.`);
    if (value !== "") found.set(key, value);
  }
}

/** The known name that fewest edits lead to. */
function closest(name: string, known: readonly string[]): string {
  const [best = ""] = known.toSorted((a, b) => editsBetween(name, a) - editsBetween(name, b));
  return best;
}

/** Levenshtein's distance. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
