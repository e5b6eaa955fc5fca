import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";

/** A process of a benchmark, and what it has cost so far. */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #output: string[] = [];

  constructor(command: string, args: readonly string[], environment: Record<string, string> = {}) {
    const env = { ...process.env, ...environment };
    this.#child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stderr?.resume();
    this.#ended = new Promise((resolve) => {
      this.#child.once("close", resolve);
      this.#child.once("error", () => {
        resolve(null);
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error("the process did not start");
    return pid;
  }

  /** What a line of the output matches; keeps the output read, so that no pipe fills. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      void this.#ended.then((code) => {
        reject(new Error(`ended with ${String(code)} after: ${this.#output.join("")}`));
      });
      this.#child.stdout?.on("data", (chunk: Buffer) => {
        this.#output.push(chunk.toString());
        const match = pattern.exec(this.#output.join(""));
        if (match !== null) resolve(match);
      });
    });
  }

  /** User and system time of all its threads, in seconds. */
  async cpuSeconds(): Promise<number> {
    const { user, system } = await this.cpu();
    return user + system;
  }

  /** Of all its threads: time in its own code, and in the kernel's for it. */
  async cpu(): Promise<{ readonly user: number; readonly system: number }> {
    const stat = await readFile(`/proc/${this.pid}/stat`, "utf8");
    // Fields are counted after the name, which may hold spaces: 14 and 15 of the whole line.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const seconds = (index: number): number => Number(fields[index]) / ticksPerSecond;
    return { user: seconds(11), system: seconds(12) };
  }

  /** What one read call brought on average since it started: of sockets and of files. */
  async reads(): Promise<{ readonly bytes: number; readonly calls: number }> {
    const field = await this.#io();
    return { bytes: field("rchar"), calls: field("syscr") };
  }

  /** All that it read and wrote since it started: of sockets and of files. */
  async trafficBytes(): Promise<number> {
    const field = await this.#io();
    return field("rchar") + field("wchar");
  }

  async #io(): Promise<(name: string) => number> {
    const io = await readFile(`/proc/${this.pid}/io`, "utf8");
    return (name) => Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(io)?.[1]);
  }

  async residentBytes(which: "VmRSS" | "VmHWM"): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(new RegExp(`^${which}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}

/** The kernel's USER_HZ, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

export interface Finished {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly output: string;
}

/** Runs a command to its end; its own cost comes from the shell's `times` of its one child. */
export async function run(command: string, args: readonly string[]): Promise<Finished> {
  const begun = performance.now();
  const script = '"$@"; code=$?; times >&2; exit $code';
  const child = spawn("bash", ["-c", script, "run", command, ...args]);
  const [out, errors]: [string[], string[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  const seconds = (performance.now() - begun) / 1000;
  if (code !== 0)
    throw new Error(`${command} ended with ${String(code)}: ${errors.join("")}${out.join("")}`);
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(errors.join("")) ?? [];
  const [userMinutes = 0, user = 0, systemMinutes = 0, system = 0] = times.slice(1).map(Number);
  const cpuSeconds = 60 * (userMinutes + systemMinutes) + user + system;
  return { seconds, cpuSeconds, output: out.join("") };
}
