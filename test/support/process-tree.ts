import { readFileSync } from "node:fs";

/**
 * The process that does the work of this one: the command of a clone starts itself once more with
 * the flags it wants, and that child is the one to measure and to kill. Itself when it has none.
 */
export function workingProcess(pid: number): number {
  const [child] = childrenOf(pid);
  return child === undefined ? pid : workingProcess(child);
}

/** None where the system does not tell. */
function childrenOf(pid: number): readonly number[] {
  try {
    const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return listed === "" ? [] : listed.split(" ").map(Number);
  } catch {
    return [];
  }
}

/** To the process that does the work; whoever waits for it ends by itself. */
export function signalWorkingProcess(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(workingProcess(pid), name);
  } catch (error) {
    // It may end between the look and the signal.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
