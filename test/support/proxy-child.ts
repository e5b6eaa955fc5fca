import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
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
  readonly #child: ChildProcessByStdio<null, null, Readable>;
  readonly #directory: string;
  readonly #closed: Promise<unknown>;
  readonly #errors: string[] = [];

  private constructor(
    url: URL,
    child: ChildProcessByStdio<null, null, Readable>,
    directory: string,
  ) {
    this.url = url;
    this.#child = child;
    this.#directory = directory;
    this.#closed = new Promise((resolve) => child.once("close", resolve));
    child.stderr.on("data", (bytes: Buffer) => this.#errors.push(bytes.toString()));
  }

  /** Resolves when requests come through to a server that is ready. */
  static async start(plan: ProxyPlan, tries = 3): Promise<ProxyChild> {
    const proxy = await ProxyChild.#launch(plan);
    try {
      await eventually(() => proxy.#answers(), { what: `${plan.name} to pass requests on` });
      return proxy;
    } catch (error) {
      const ended = proxy.#ended;
      await proxy[Symbol.asyncDispose]();
      // Another may have taken the port since it was found free.
      if (ended && tries > 1) return await ProxyChild.start(plan, tries - 1);
      throw new Error(`no ${plan.name}:\n${proxy.#errors.join("")}`, { cause: error });
    }
  }

  static async #launch(plan: ProxyPlan): Promise<ProxyChild> {
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
    return new ProxyChild(new URL(`http://127.0.0.1:${port}`), child, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#child.kill("SIGKILL");
    await this.#closed;
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #answers(): Promise<true | undefined> {
    const isReady = await fetch(new URL("/readyz", this.url)).then(
      ({ ok }) => ok,
      () => false,
    );
    // Asked last: who answered may be another at its port.
    if (this.#ended) throw new Error(`it ended with ${this.#child.exitCode}`);
    return isReady || undefined;
  }
}
