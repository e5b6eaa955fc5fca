import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { within } from "./eventually.ts";
import { signalWorkingProcess, workingProcess } from "./process-tree.ts";

export const repositoryDirectory = fileURLToPath(new URL("../../", import.meta.url));

/** The command as a clone runs it: Node strips the types itself. */
export const sourceProgram: readonly string[] = [
  "--conditions=source",
  join(repositoryDirectory, "packages/server/src/cli/main.ts"),
];

/** The command as people start it: it gives Node the flags it wants in a process of its own. */
export const binProgram: readonly string[] = [
  join(repositoryDirectory, "packages/server/bin/hawser.js"),
];

export interface ServerProcessOptions {
  /** Digits only, as in the real service. */
  readonly appId?: string;
  readonly appSecret?: string;
  readonly token?: string;
  /** Further environment; wins over what this file sets. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Appended to `serve --host … --port … --data …`. */
  readonly extraArguments?: readonly string[];
  /** What Node runs in place of the clone's own command. */
  readonly program?: readonly string[];
  /** An existing data directory, which then is the caller's to remove. */
  readonly dataDirectory?: string;
  /** A hang guard for the line that says where the server listens. */
  readonly startTimeoutMs?: number;
  /** How long SIGTERM may take before the process is killed and an error thrown. */
  readonly stopTimeoutMs?: number;
  /** Older log lines are dropped beyond this many. */
  readonly logLinesMax?: number;
}

export interface RestartOptions {
  /** Come back where clients remember the server, not at a fresh port. */
  readonly samePort?: boolean;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ResidentBytes {
  readonly now: number;
  readonly peak: number;
}

/** The caller's environment without anything that would configure a server behind the test's back. */
export function environmentWithoutHawser(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("HAWSER_")),
  );
}

function residentFrom(status: string, field: string): number {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`/proc status has no ${field}`);
  return Number(kibibytes) * 1024;
}

/** A real server in a process of its own, on a data directory of its own. */
export class ServerProcess {
  readonly appId: string;
  readonly appSecret: string;
  readonly token: string;
  readonly dataDirectory: string;
  readonly #options: ServerProcessOptions;
  readonly #logLines: string[] = [];
  #child: ChildProcess | undefined;
  #ended: Promise<ProcessEnd> = Promise.resolve({ code: null, signal: null });
  #url: URL | undefined;

  private constructor(options: ServerProcessOptions, dataDirectory: string) {
    this.#options = options;
    this.dataDirectory = dataDirectory;
    this.appId = options.appId ?? "1234567890123456";
    this.appSecret = options.appSecret ?? "test-app-secret-0123456789abcdef";
    this.token = options.token ?? "test-token-0123456789abcdef0123456789abcdef";
  }

  static async start(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), "hawser-test-")));
    const server = new ServerProcess(options, dataDirectory);
    try {
      await server.#launch(0);
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  /** Where it listens, without a trailing slash. */
  get url(): string {
    return this.address.origin;
  }

  get address(): URL {
    if (this.#url === undefined) throw new Error("the server has not said where it listens");
    return this.#url;
  }

  get port(): number {
    return Number(this.address.port);
  }

  /** Of the process that serves, which need not be the one that was started. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("the server is not running");
    return workingProcess(pid);
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Both output streams, line by line, oldest first, over all restarts. */
  get logLines(): readonly string[] {
    return this.#logLines;
  }

  /** Settles when the present process has ended, however it ends. */
  get ended(): Promise<ProcessEnd> {
    return this.#ended;
  }

  /** As a power switch would: no handler runs. */
  async kill9(): Promise<ProcessEnd> {
    this.#signal("SIGKILL");
    return this.#ended;
  }

  /** As an operator would: SIGTERM, and the drain is waited for. */
  async terminate(): Promise<ProcessEnd> {
    const timeoutMs = this.#options.stopTimeoutMs ?? 20_000;
    this.#child?.kill("SIGTERM");
    try {
      return await within(this.#ended, { what: "the server to drain", timeoutMs });
    } catch (error) {
      await this.kill9();
      throw error;
    }
  }

  signal(name: "SIGSTOP" | "SIGCONT" | "SIGHUP" | "SIGINT" | "SIGTERM"): void {
    this.#signal(name);
  }

  /** Starts again on the same data; a process that still runs is asked to stop first. */
  async restart({ samePort = false }: RestartOptions = {}): Promise<void> {
    const port = samePort ? this.port : 0;
    if (this.running) await this.terminate();
    await this.#launch(port);
  }

  async residentBytes(): Promise<ResidentBytes> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return { now: residentFrom(status, "VmRSS"), peak: residentFrom(status, "VmHWM") };
  }

  /** Ends the process and removes its directory, unless the caller brought the directory. */
  async remove(): Promise<void> {
    await this.kill9();
    if (this.#options.dataDirectory !== undefined) return;
    await rm(this.dataDirectory, { recursive: true, force: true, maxRetries: 3 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  async #launch(port: number): Promise<void> {
    const { program = sourceProgram, extraArguments = [], environment = {} } = this.#options;
    const serve = ["serve", "--host", "127.0.0.1", "--port", `${port}`];
    const data = ["--data", this.dataDirectory];
    const child = spawn(process.execPath, [...program, ...serve, ...data, ...extraArguments], {
      cwd: this.dataDirectory,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...environmentWithoutHawser(),
        HAWSER_APP_ID: this.appId,
        HAWSER_APP_SECRET: this.appSecret,
        HAWSER_TOKEN: this.token,
        ...environment,
      },
    });
    this.#child = child;
    this.#ended = this.#whenEnded(child);
    this.#url = await this.#whenListening(child);
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) signalWorkingProcess(pid, name);
  }

  async #whenEnded(child: ChildProcess): Promise<ProcessEnd> {
    const end = Promise.withResolvers<ProcessEnd>();
    child.once("error", (error) => {
      this.#keep(`could not start: ${error.message}`);
      end.resolve({ code: null, signal: null });
    });
    child.once("close", (code, signal) => {
      end.resolve({ code, signal });
    });
    const result = await end.promise;
    if (this.#child === child) this.#child = undefined;
    return result;
  }

  async #whenListening(child: ChildProcess): Promise<URL> {
    const listening = Promise.withResolvers<URL>();
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.#keep(line);
        const url = /\blistening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (url !== undefined && stream === child.stdout) listening.resolve(new URL(url));
      });
    }
    const timeoutMs = this.#options.startTimeoutMs ?? 20_000;
    const endedEarly = this.#ended.then((end): never => {
      throw new Error(`the server ended with ${JSON.stringify(end)} before it listened`);
    });
    // Once the server listens nobody waits for this branch any more; its end is no failure then.
    endedEarly.catch(() => undefined);
    try {
      const pending = Promise.race([listening.promise, endedEarly]);
      return await within(pending, { what: "the server to listen", timeoutMs });
    } catch (error) {
      this.#signal("SIGKILL");
      throw new Error(`no server:\n${this.#logLines.join("\n")}`, { cause: error });
    }
  }

  #keep(line: string): void {
    this.#logLines.push(line);
    const excess = this.#logLines.length - (this.#options.logLinesMax ?? 10_000);
    if (excess > 0) this.#logLines.splice(0, excess);
  }
}
