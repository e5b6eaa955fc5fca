import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

const program = "/usr/sbin/haproxy";

/** Why there can be no HAProxy here; undefined when there can. */
export const haproxyMissing = existsSync(program) ? undefined : "HAProxy is not installed";

/** A load balancer that sends each request to the next node, whatever connection it came on. */
export class HaproxyProcess {
  readonly url: URL;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(url: URL, child: ChildProcess, directory: string) {
    this.url = url;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(servers: readonly URL[]): Promise<HaproxyProcess> {
    const directory = await mkdtemp(join(tmpdir(), "hawser-haproxy-"));
    const port = await freePort();
    const file = join(directory, "haproxy.cfg");
    await writeFile(file, configurationOf(port, servers));
    const child = spawn(program, ["-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
    const url = new URL(`http://127.0.0.1:${port}`);
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(`HAProxy ended with ${child.exitCode}`);
      return await fetch(new URL("/readyz", url)).then(
        (response) => (response.ok ? true : undefined),
        () => undefined,
      );
    };
    await eventually(answers, { what: "HAProxy to pass requests on" });
    return new HaproxyProcess(url, child, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await ended;
    await rm(this.#directory, { recursive: true });
  }
}

/** What docs/operating.md recommends, with three nodes and nothing sticky. */
function configurationOf(port: number, servers: readonly URL[]): string {
  const lines = servers.map(
    ({ host }, index) => `  server node${index + 1} ${host} check inter 500ms fall 2 rise 1`,
  );
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option http-no-delay
frontend uploads
  bind 127.0.0.1:${port}
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
  option redispatch
${lines.join("\n")}
`;
}
