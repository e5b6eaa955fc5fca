import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { repositoryDirectory } from "./server-process.ts";

export type ProxyName = "nginx" | "haproxy" | "caddy";
export const proxyNames: readonly ProxyName[] = ["nginx", "haproxy", "caddy"];

interface Place {
  readonly directory: string;
  readonly port: number;
}

interface Kind {
  readonly program: string;
  readonly commandLine: (file: string) => readonly string[];
  /** The page's block as a whole file that listens on loopback. */
  readonly fileOf: (block: string, place: Place) => string;
}

/** Everything that nginx would write elsewhere goes into its own directory. */
function nginxFile(block: string, { directory, port }: Place): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = kinds.map((kind) => `  ${kind}_temp_path ${directory}/${kind};`).join("\n");
  return `
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr warn;
events { }
http {
  access_log off;
${temporary}
${replaceOnce(block, "listen 80;", `listen 127.0.0.1:${port};`)}
}
`;
}

const kinds: Readonly<Record<ProxyName, Kind>> = {
  nginx: {
    program: "/usr/sbin/nginx",
    commandLine: (file) => ["-c", file],
    fileOf: nginxFile,
  },
  haproxy: {
    program: "/usr/sbin/haproxy",
    commandLine: (file) => ["-db", "-f", file],
    fileOf: (block, { port }) => replaceOnce(block, "bind :80\n", `bind 127.0.0.1:${port}\n`),
  },
  caddy: {
    program: "/usr/bin/caddy",
    commandLine: (file) => ["run", "--adapter", "caddyfile", "--config", file],
    fileOf: (block, { port }) =>
      `{\n  admin off\n}\n${replaceOnce(block, ":80 {", `:${port} {\n  bind 127.0.0.1`)}`,
  },
};

/** A proxy as docs/operating.md has it configured, before one server in place of its three. */
export class ProxyProcess {
  readonly url: URL;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(url: URL, child: ChildProcess, directory: string) {
    this.url = url;
    this.#child = child;
    this.#directory = directory;
  }

  /** The proxy, or the reason why there can be none here; `without` leaves a line of the page out. */
  static async start(
    name: ProxyName,
    server: URL,
    { without }: { readonly without?: string } = {},
  ): Promise<ProxyProcess | string> {
    const { program, commandLine, fileOf } = kinds[name];
    if (!existsSync(program)) return `${name} is not installed (${program})`;
    const documented = (await documentedBlock(name)).replaceAll(/10\.0\.0\.\d:8080/g, server.host);
    const block = without === undefined ? documented : replaceOnce(documented, without, "");
    const directory = await mkdtemp(join(tmpdir(), `hawser-${name}-`));
    const port = await freePort();
    const file = join(directory, "configuration");
    await writeFile(file, fileOf(block, { directory, port }));
    const child = spawn(program, commandLine(file), {
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env.PATH, HOME: directory },
    });
    const errors: string[] = [];
    child.stderr.on("data", (bytes: Buffer) => errors.push(bytes.toString()));
    const proxy = new ProxyProcess(new URL(`http://127.0.0.1:${port}`), child, directory);
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

async function documentedBlock(name: ProxyName): Promise<string> {
  const file = join(repositoryDirectory, "docs/operating.md");
  const page = await readFile(file, "utf8");
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${name}\n(.*?)^\`\`\`$`, "gms"))];
  const [block] = blocks.map((match) => match[1]);
  if (block === undefined || blocks.length > 1) {
    throw new Error(`${file} has ${blocks.length} blocks for ${name}`);
  }
  return block;
}

function replaceOnce(text: string, part: string, by: string): string {
  if (text.split(part).length !== 2) throw new Error(`it does not have ${part} once:\n${text}`);
  return text.replace(part, by);
}
