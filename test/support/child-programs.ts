import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Programs that end with the process that started them, however that ends. */
export class ChildPrograms {
  readonly #children: ChildProcess[] = [];

  /** What it says goes to the descriptor `output`, if there is one. */
  spawn(program: string, options: readonly string[], output?: number): ChildProcess {
    const command = ["--pdeathsig", "KILL", program, ...options];
    const said = output ?? "ignore";
    const child = spawn("setpriv", command, { stdio: ["ignore", said, said] });
    this.#children.push(child);
    return child;
  }

  /** For what is not worth an orderly end. */
  async kill(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
  }
}

/** Those that the path does not lead to. */
export async function missingPrograms(programs: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const program of [...programs, "setpriv"]) {
    const found = (process.env.PATH ?? "")
      .split(delimiter)
      .map((directory) => access(join(directory, program), constants.X_OK));
    const isThere = await Promise.any(found).then(
      () => true,
      () => false,
    );
    if (!isThere) missing.push(program);
  }
  return missing;
}
