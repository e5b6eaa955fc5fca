import { type ChildProcess, execFile } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { ChildPrograms, missingPrograms } from "./child-programs.ts";
import { freePorts } from "./free-port.ts";
import { S3Gateway } from "./s3-gateway.ts";
import {
  swiftConfiguration,
  swiftServerConfiguration,
  swiftServers,
  type SwiftPlaces,
} from "./swift-configuration.ts";

const run = promisify(execFile);
const keys = { accessKeyId: "hawser:tests", secretAccessKey: "hawser-secret" };
// The one of the distribution: it alone finds the distribution's Swift.
const python = "/usr/bin/python3";
const serverProgram = fileURLToPath(new URL("swift-server.py", import.meta.url));
const toInstall =
  "OpenStack's Swift is not installed: apt-get install -y --no-install-recommends " +
  "python3-swift memcached";

/** OpenStack's Swift with its S3 layer: one process a server, one copy of all, on loopback. */
export class SwiftGateway extends S3Gateway {
  readonly #directory: string;
  readonly #children = new ChildPrograms();

  private constructor(directory: string, port: number) {
    super({ host: "127.0.0.1", port }, keys);
    this.#directory = directory;
  }

  /** The gateway, or the reason why there can be none here. */
  static async start(): Promise<SwiftGateway | string> {
    if (await isSwiftMissing()) return toInstall;
    const directory = await mkdtemp(join(tmpdir(), "hawser-swift-"));
    const [account = 0, container = 0, object = 0, proxy = 0, cachePort = 0] = await freePorts(5);
    const gateway = new SwiftGateway(directory, proxy);
    try {
      await gateway.#start({
        directory,
        user: userInfo().username,
        ports: {
          "account-server": account,
          "container-server": container,
          "object-server": object,
          "proxy-server": proxy,
        },
        cachePort,
        keys,
      });
      return gateway;
    } catch (error) {
      await gateway.stop();
      throw error;
    }
  }

  /** Nothing in it is worth an orderly end. */
  async stop(): Promise<void> {
    await this.#children.kill();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(places: SwiftPlaces): Promise<void> {
    const { ports, cachePort, user } = places;
    await mkdir(join(this.#directory, "devices", "disk"), { recursive: true });
    await writeFile(join(this.#directory, "swift.conf"), swiftConfiguration);
    for (const server of swiftServers) {
      const file = join(this.#directory, `${server}.conf`);
      await writeFile(file, swiftServerConfiguration(server, places));
    }
    const devices = [ports["account-server"], ports["container-server"], ports["object-server"]];
    await run(python, [serverProgram, this.#directory, "rings", ...devices.map(String)]);
    await using log = await open(this.#log, "a");
    const cacheOptions = ["-l", "127.0.0.1", "-p", String(cachePort), "-U", "0", "-u", user];
    this.#children.spawn("memcached", cacheOptions, log.fd);
    for (const server of swiftServers) await this.#startServer(server, ports[server], log);
  }

  async #startServer(server: string, port: number, log: FileHandle): Promise<void> {
    const child = this.#children.spawn(python, [serverProgram, this.#directory, server], log.fd);
    while (!(await isAnswering(`http://127.0.0.1:${port}/healthcheck`))) {
      if (hasEnded(child)) {
        throw new Error(`Swift's ${server} ended:\n${await readFile(this.#log, "utf8")}`);
      }
      await sleep(50);
    }
  }

  get #log(): string {
    return join(this.#directory, "log");
  }
}

async function isSwiftMissing(): Promise<boolean> {
  if ((await missingPrograms(["memcached"])).length > 0) return true;
  const asked = run(python, ["-c", "import swift.common.middleware.s3api"]);
  return await asked.then(
    () => false,
    () => true,
  );
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
