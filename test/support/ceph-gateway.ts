import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { access, constants, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { S3Client } from "@aws-sdk/client-s3";

import { cephConfiguration } from "./ceph-configuration.ts";
import { freePorts } from "./free-port.ts";
import type { RawAddress } from "./raw-http.ts";

const run = promisify(execFile);
const keyId = "hawser";
const secretKey = "hawser-secret";
const programs = ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"];

export interface S3Place {
  readonly prefix: string;
  /** Where the gateway is reached instead, such as through a proxy. */
  readonly endpoint?: string;
  readonly partMib?: number;
}

/** Ceph's S3 gateway with one monitor and one store in memory, on loopback, for a few tests. */
export class CephGateway {
  readonly bucket = "hawser-test";
  /** What a process needs to be let in. */
  readonly environment = { AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secretKey };
  readonly address: RawAddress;
  readonly #directory: string;
  readonly #configuration: string;
  readonly #children: ChildProcess[] = [];

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#configuration = join(directory, "ceph.conf");
    this.address = { host: "127.0.0.1", port };
  }

  /** The gateway, or the reason why there can be none here. */
  static async start(): Promise<CephGateway | string> {
    const missing = await cephMissing();
    if (missing !== undefined) return missing;
    const directory = await mkdtemp(join(tmpdir(), "hawser-ceph-"));
    const [monitorPort = 0, port = 0, portsFrom = 0] = await freePorts(3);
    const gateway = new CephGateway(directory, port);
    try {
      const places = { directory, classDirectory: await classDirectory() };
      await gateway.#start({ ...places, monitorPort, gatewayPort: port, portsFrom });
      return gateway;
    } catch (error) {
      await gateway.stop();
      throw error;
    }
  }

  get endpoint(): string {
    return `http://${this.address.host}:${this.address.port}`;
  }

  /** The location of a store in this gateway, as an operator would write it. */
  location({ prefix, endpoint = this.endpoint, partMib }: S3Place): string {
    const options = new URLSearchParams({ endpoint, forcePathStyle: "true", createBucket: "true" });
    if (partMib !== undefined) options.set("part-mib", `${partMib}`);
    return `s3://${this.bucket}/${prefix}?${options.toString()}`;
  }

  /** To look behind a store's back. */
  client(): S3Client {
    return new S3Client({
      endpoint: this.endpoint,
      region: "us-east-1",
      forcePathStyle: true,
      credentials: { accessKeyId: keyId, secretAccessKey: secretKey },
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  }

  /** Nothing in it is worth an orderly end. */
  async stop(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(places: Parameters<typeof cephConfiguration>[0]): Promise<void> {
    const clusterId = randomUUID();
    const storeId = randomUUID();
    const path = (name: string): string => join(this.#directory, name);
    for (const name of ["mon", "osd", "rgw", "run", "log"]) await mkdir(path(name));
    await writeFile(this.#configuration, cephConfiguration(places, clusterId));
    await writeFile(path("keyring"), "");
    const monitor = `[v2:127.0.0.1:${places.monitorPort}]`;
    const map = ["--create", "--fsid", clusterId, "--addv", "a", monitor, path("monmap")];
    await run("monmaptool", map);
    await this.#run("ceph-mon", ["--mkfs", "-i", "a", "--monmap", path("monmap")]);
    this.#spawn("ceph-mon", ["-f", "-i", "a"]);
    await this.#run("ceph", ["osd", "new", storeId, "0"]);
    await this.#run("ceph-osd", ["--mkfs", "-i", "0", "--osd-uuid", storeId]);
    this.#spawn("ceph-osd", ["-f", "-i", "0"]);
    const user = ["user", "create", "--uid=hawser", "--display-name=hawser"];
    // It waits for the store to be up.
    await this.#run("radosgw-admin", [
      ...user,
      `--access-key=${keyId}`,
      `--secret-key=${secretKey}`,
    ]);
    const gateway = this.#spawn("radosgw", ["-f", "-n", "client.rgw"]);
    while (!(await isAnswering(this.endpoint))) {
      if (gateway.exitCode !== null) throw new Error(`radosgw ended with ${gateway.exitCode}`);
      await sleep(50);
    }
  }

  async #run(program: string, options: readonly string[]): Promise<void> {
    await run(program, [...options, "-c", this.#configuration], { timeout: 60_000 });
  }

  /** They end with the process that started them, however that ends. */
  #spawn(program: string, options: readonly string[]): ChildProcess {
    const command = ["--pdeathsig", "KILL", program, ...options, "-c", this.#configuration];
    const child = spawn("setpriv", command, { stdio: "ignore" });
    this.#children.push(child);
    return child;
  }
}

/** The reason why there can be no gateway here, if any. */
export async function cephMissing(): Promise<string | undefined> {
  const missing = await missingPrograms();
  return missing.length > 0 ? `${missing.join(", ")} are not installed` : undefined;
}

async function missingPrograms(): Promise<string[]> {
  const missing: string[] = [];
  for (const program of [...programs, "setpriv"]) {
    const found = (process.env.PATH ?? "")
      .split(delimiter)
      .map((directory) => access(join(directory, program), constants.X_OK));
    const isThere = await Promise.any(found).then(
      () => true,
      () => false,
    );
    if (!isThere) missing.push(program);
  }
  return missing;
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
