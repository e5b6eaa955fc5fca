import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { signalWorkingProcess, workingProcess } from "../support/process-tree.ts";
import { environmentWithoutHawser, sourceProgram } from "../support/server-process.ts";

export interface CommandOptions {
  /** Where the command remembers unfinished uploads, and where it runs. */
  readonly stateDirectory: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What Node runs in place of the clone's own command. */
  readonly program?: readonly string[];
  /** Standard input; empty unless given. */
  readonly input?: Readable;
}

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly residentPeakBytes: number;
}

/** One run of the `hawser` command in a process of its own. */
export class HawserCommand {
  readonly result: Promise<CommandResult>;
  readonly #child: ChildProcess;
  #residentPeakBytes = 0;
  #printed = "";
  #complained = "";

  constructor(command: readonly string[], options: CommandOptions) {
    const { stateDirectory, environment, program = sourceProgram, input } = options;
    const child = spawn(process.execPath, [...program, ...command], {
      cwd: stateDirectory,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...environmentWithoutHawser(), HAWSER_STATE: stateDirectory, ...environment },
    });
    this.#child = child;
    // A command that ends before it has read everything is no failure of the test.
    (input ?? Readable.from([])).pipe(child.stdin.on("error", () => undefined));
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (this.#printed += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (this.#complained += chunk));
    this.result = this.#finish(text(child.stdout), text(child.stderr));
    void this.#watchMemory();
  }

  /** What it has printed on stdout so far. */
  get printed(): string {
    return this.#printed;
  }

  /** The same of stderr. */
  get complained(): string {
    return this.#complained;
  }

  /** As Ctrl-C would. */
  interrupt(): void {
    const { pid } = this.#child;
    if (pid !== undefined) signalWorkingProcess(pid, "SIGINT");
  }

  /** As a power switch would: no handler runs. */
  async kill9(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined) signalWorkingProcess(pid, "SIGKILL");
    await this.result;
  }

  async #finish(stdout: Promise<string>, stderr: Promise<string>): Promise<CommandResult> {
    const ended = Promise.withResolvers<Pick<CommandResult, "code" | "signal">>();
    this.#child.once("error", ended.reject);
    this.#child.once("close", (code, signal) => {
      ended.resolve({ code, signal });
    });
    const printed = { stdout: await stdout, stderr: await stderr };
    return { ...(await ended.promise), ...printed, residentPeakBytes: this.#residentPeakBytes };
  }

  /** The kernel keeps the peak, but only while the process lives. */
  async #watchMemory(): Promise<void> {
    while (this.#child.exitCode === null && this.#child.signalCode === null) {
      const pid = workingProcess(this.#child.pid ?? 0);
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const kibibytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
      this.#residentPeakBytes = Math.max(this.#residentPeakBytes, kibibytes * 1024);
      await sleep(50);
    }
  }
}

/** Runs a command to its end. */
export async function runHawser(
  command: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return await new HawserCommand(command, options).result;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON line a command printed; an error when it failed. */
export function jsonFrom(result: CommandResult): JsonObject {
  if (result.code !== 0) throw new Error(`the command failed: ${JSON.stringify(result)}`);
  return objectFrom(result.stdout);
}

/** Every JSON line that was printed, also by a command that failed or was killed. */
export function eventsFrom({ stdout }: Pick<CommandResult, "stdout">): JsonObject[] {
  // What comes after the last line break was cut off by a kill.
  return stdout.split("\n").slice(0, -1).map(objectFrom);
}

/** How the one file of `hawser put --json` ended; an error unless it was uploaded. */
export function uploadFrom(result: CommandResult): JsonObject {
  const [done, ...more] = eventsFrom(result).filter(({ event }) => event === "done");
  if (result.code === 0 && done !== undefined && more.length === 0) return done;
  throw new Error(`not one upload: ${JSON.stringify(result)}`);
}

function objectFrom(line: string): JsonObject {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${line}`);
  return { ...value };
}
