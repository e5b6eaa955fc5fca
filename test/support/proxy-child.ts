import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

export interface ProxyPlace {
  readonly directory: string;
  readonly port: number;
}

export interface ProxyPlan {
  readonly name: string;
  readonly program: string;
  readonly commandLine: (file: string) => readonly string[];
  readonly configurationOf: (place: ProxyPlace) => string;
}

/** A real proxy in a process and a directory of its own, on loopback. */
export class ProxyChild {
  readonly url: URL;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(url: URL, child: ChildProcess, directory: string) {
    this.url = url;
    this.#child = child;
    this.#directory = directory;
  }

  /** Resolves when requests come through to a server that is ready. */
  static async start(plan: ProxyPlan): Promise<ProxyChild> {
    const { name, program, commandLine, configurationOf } = plan;
    const directory = await mkdtemp(join(tmpdir(), `hawser-${name}-`));
    const port = await freePort();
    const file = join(directory, "configuration");
    await writeFile(file, configurationOf({ directory, port }));
    const child = spawn(program, commandLine(file), {
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env.PATH, HOME: directory },
    });
    const errors: string[] = [];
    child.stderr.on("data", (bytes: Buffer) => errors.push(bytes.toString()));
    const proxy = new ProxyChild(new URL(`http://127.0.0.1:${port}`), child, directory);
    try {
      await eventually(() => proxy.#answers(), { what: `${name} to pass requests on` });
      return proxy;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw new Error(`no ${name}:\n${errors.join("")}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once("close", resolve));
      this.#child.kill("SIGKILL");
      await ended;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<true | undefined> {
    if (this.#child.exitCode !== null) throw new Error(`it ended with ${this.#child.exitCode}`);
    return await fetch(new URL("/readyz", this.url)).then(
      (response) => (response.ok ? true : undefined),
      () => undefined,
    );
  }
}
