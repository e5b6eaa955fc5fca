import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { within } from "../support/eventually.ts";

const run = promisify(execFile);

/** The threads a server does its syncs in: bytes and names in the first, the catalog in the second. */
export type SyncThread = "libuv-worker" | "WorkerThread";

export interface FailingCall {
  readonly thread: SyncThread;
  readonly call: "fdatasync" | "fsync";
  readonly error: "EIO" | "ENOSPC" | "EDQUOT";
  /** Which call of that thread fails, counted from 1; it is not carried out. */
  readonly nth: number;
}

/** A system call of a running process that fails as told, by way of strace. */
export class FailingCalls {
  readonly #tracer: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<unknown>;

  private constructor(tracer: ChildProcess) {
    this.#tracer = tracer;
    this.#ended = once(tracer, "close");
  }

  /** Why no calls can be made to fail here, or undefined when they can. */
  static async whyNot(): Promise<string | undefined> {
    try {
      await run("strace", ["-f", "-o", "/dev/null", "-e", "trace=fdatasync", "true"]);
      return undefined;
    } catch (error) {
      return `strace cannot be used here: ${String(error).split("\n")[0] ?? ""}`;
    }
  }

  /** Resolves when the thread is watched: its next call counts as the first. */
  static async attach(
    pid: number,
    { thread, call, error, nth }: FailingCall,
  ): Promise<FailingCalls> {
    const id = await threadOf(pid, thread);
    const fault = `inject=${call}:error=${error}:when=${nth}`;
    // Without -f this thread alone is watched, so that no other one's calls are counted.
    const command = ["-e", `trace=${call}`, "-e", fault, "-p", id];
    const tracer = spawn("strace", command, { stdio: ["ignore", "ignore", "pipe"] });
    const calls = new FailingCalls(tracer);
    const attached = Promise.withResolvers<undefined>();
    createInterface({ input: tracer.stderr }).on("line", (line) => {
      calls.#lines.push(line);
      if (line.includes("attached")) attached.resolve(undefined);
    });
    await within(attached.promise, { what: `strace to attach to ${thread}` });
    return calls;
  }

  /** Whether the call that was to fail has failed. */
  get happened(): boolean {
    return this.#lines.some((line) => line.includes("(INJECTED)"));
  }

  async detach(): Promise<void> {
    this.#tracer.kill("SIGTERM");
    await this.#ended;
  }
}

async function threadOf(pid: number, name: SyncThread): Promise<string> {
  const found: string[] = [];
  for (const id of await readdir(`/proc/${pid}/task`)) {
    const named = await readFile(`/proc/${pid}/task/${id}/comm`, "utf8");
    if (named.trim() === name) found.push(id);
  }
  const [id] = found;
  // Calls are counted by thread: with two of them the n-th would be nobody's.
  if (id === undefined || found.length > 1) throw new Error(`${found.length} threads ${name}`);
  return id;
}
