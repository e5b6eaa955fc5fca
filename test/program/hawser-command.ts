import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
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

  constructor(command: readonly string[], options: CommandOptions) {
    const { stateDirectory, environment, program = sourceProgram } = options;
    const child = spawn(process.execPath, [...program, ...command], {
      cwd: stateDirectory,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...environmentWithoutHawser(), HAWSER_STATE: stateDirectory, ...environment },
    });
    this.#child = child;
    this.result = this.#finish(text(child.stdout), text(child.stderr));
    void this.#watchMemory();
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

/** The JSON line a command printed; an error when it failed. */
export function jsonFrom(result: CommandResult): Readonly<Record<string, unknown>> {
  if (result.code !== 0) throw new Error(`the command failed: ${JSON.stringify(result)}`);
  const value: unknown = JSON.parse(result.stdout);
  if (typeof value !== "object" || value === null) throw new Error(`no object: ${result.stdout}`);
  return { ...value };
}
