import { type CommandResult, runHawser } from "./hawser-command.ts";
import type { ServerProcess } from "../support/server-process.ts";

/** One line of `hawser doctor --json`. */
export interface Seen {
  readonly probe: string;
  readonly outcome: string;
  readonly evidence: string;
  readonly fault?: string;
  readonly change?: Readonly<Record<string, readonly string[]>>;
}

export interface Examination {
  readonly code: number | null;
  readonly seen: readonly Seen[];
  readonly proxy: string | undefined;
}

export interface DoctorOptions {
  readonly more?: readonly string[] | undefined;
  readonly environment?: Readonly<Record<string, string>>;
}

/** `hawser doctor URL` with the server's app and token, and little patience. */
export function runDoctor(
  server: ServerProcess,
  url: string,
  { more = [], environment = {} }: DoctorOptions = {},
): Promise<CommandResult> {
  return runHawser(["doctor", url, "--patience", "3", ...more], {
    stateDirectory: server.dataDirectory,
    environment: { HAWSER_APP_ID: server.appId, HAWSER_TOKEN: server.token, ...environment },
  });
}

/** The same with `--json`, taken apart. */
export async function examineAt(
  server: ServerProcess,
  url: string,
  options: DoctorOptions = {},
): Promise<Examination> {
  const more = ["--json", ...(options.more ?? [])];
  const { code, stdout, stderr } = await runDoctor(server, url, { ...options, more });
  const objects = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const sum = objects.at(-1);
  if (sum?.url !== url) throw new Error(`no sum: ${stdout}${stderr}`);
  const proxy = typeof sum.proxy === "string" ? sum.proxy : undefined;
  // As `--json` prints them; a line that is not so fails what is expected of it.
  const seen = objects.slice(0, -1) as unknown as Seen[];
  return { code, seen, proxy };
}

export function faultsIn({ seen }: Examination): string[] {
  return seen.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
}
