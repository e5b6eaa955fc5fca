import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { cephConfiguration } from "./ceph-configuration.ts";
import { ChildPrograms, missingPrograms } from "./child-programs.ts";
import { freePort, freePorts } from "./free-port.ts";
import { S3Gateway } from "./s3-gateway.ts";

const run = promisify(execFile);
const keys = { accessKeyId: "hawser", secretAccessKey: "hawser-secret" };
const programs = ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"];

/** Ceph's S3 gateway with one monitor and one store in memory, on loopback, for a few tests. */
export class CephGateway extends S3Gateway {
  readonly #cluster: CephCluster;

  private constructor(cluster: CephCluster, port: number) {
    super({ host: "127.0.0.1", port }, keys);
    this.#cluster = cluster;
  }

  /** The gateway, or the reason why there can be none here. */
  static async start(): Promise<CephGateway | string> {
    const missing = await cephMissing();
    if (missing !== undefined) return missing;
    const cluster = new CephCluster(await mkdtemp(join(tmpdir(), "hawser-ceph-")));
    try {
      await cluster.start();
      return new CephGateway(cluster, await cluster.startGateway());
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
  }
}

class CephCluster {
  readonly #directory: string;
  readonly #configuration: string;
  readonly #children = new ChildPrograms();

  constructor(directory: string) {
    this.#directory = directory;
    this.#configuration = join(directory, "ceph.conf");
  }

  /** Nothing in it is worth an orderly end. */
  async stop(): Promise<void> {
    await this.#children.kill();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Resolves when the store is up and has the user whose keys the gateway takes. */
  async start(): Promise<void> {
    const clusterId = randomUUID();
    const storeId = randomUUID();
    const path = (name: string): string => join(this.#directory, name);
    for (const name of ["mon", "osd", "rgw", "run", "log"]) await mkdir(path(name));
    const [monitorPort = 0, portsFrom = 0] = await freePorts(2);
    const directories = { directory: this.#directory, classDirectory: await classDirectory() };
    const places = { ...directories, monitorPort, portsFrom };
    await writeFile(this.#configuration, cephConfiguration(places, clusterId));
    await writeFile(path("keyring"), "");
    const monitor = `[v2:127.0.0.1:${monitorPort}]`;
    const map = ["--create", "--fsid", clusterId, "--addv", "a", monitor, path("monmap")];
    await run("monmaptool", map);
    await this.#run("ceph-mon", ["--mkfs", "-i", "a", "--monmap", path("monmap")]);
    this.#spawn("ceph-mon", ["-f", "-i", "a"]);
    await this.#run("ceph", ["osd", "new", storeId, "0"]);
    await this.#run("ceph-osd", ["--mkfs", "-i", "0", "--osd-uuid", storeId]);
    this.#spawn("ceph-osd", ["-f", "-i", "0"]);
    const user = ["user", "create", "--uid=hawser", "--display-name=hawser"];
    const { accessKeyId, secretAccessKey } = keys;
    // It waits for the store to be up.
    await this.#run("radosgw-admin", [
      ...user,
      `--access-key=${accessKeyId}`,
      `--secret-key=${secretAccessKey}`,
    ]);
  }

  /** The gateway's port: drawn only now, and another where that was taken meanwhile. */
  async startGateway(tries = 3): Promise<number> {
    const port = await freePort();
    const endpoint = `127.0.0.1:${port}`;
    const frontends = `--rgw-frontends=beast endpoint=${endpoint} tcp_nodelay=1`;
    const gateway = this.#spawn("radosgw", ["-f", "-n", "client.rgw", frontends]);
    while (!(await isAnswering(`http://${endpoint}`))) {
      if (gateway.exitCode !== null) {
        if (tries > 1) return await this.startGateway(tries - 1);
        throw new Error(`radosgw ended with ${gateway.exitCode}`);
      }
      await sleep(50);
    }
    return port;
  }

  async #run(program: string, options: readonly string[]): Promise<void> {
    await run(program, [...options, "-c", this.#configuration], { timeout: 60_000 });
  }

  #spawn(program: string, options: readonly string[]) {
    return this.#children.spawn(program, [...options, "-c", this.#configuration]);
  }
}

/** The reason why there can be no gateway here, if any. */
export async function cephMissing(): Promise<string | undefined> {
  const missing = await missingPrograms(programs);
  return missing.length > 0 ? `${missing.join(", ")} are not installed` : undefined;
}

/** Where the distribution keeps what the store runs for the gateway. */
async function classDirectory(): Promise<string> {
  for (const directory of [
    "/usr/lib",
    ...(await readdir("/usr/lib")).map((it) => `/usr/lib/${it}`),
  ]) {
    const candidate = join(directory, "rados-classes");
    const isThere = await access(candidate).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  throw new Error("rados-classes are nowhere under /usr/lib");
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
