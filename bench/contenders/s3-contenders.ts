import { fileURLToPath } from "node:url";
import { MeasuredProcess } from "../processes.ts";
import type { SharedStores } from "../shared-stores.ts";
import type { Contender } from "./contender.ts";
import { startHawser } from "./hawser.ts";
import { tusRequests } from "./tus-server.ts";

export interface S3Contending {
  readonly stores: SharedStores;
  /** For what it keeps beside the bucket. */
  readonly directory: string;
}

/** A server that keeps its bytes in the bucket at hand. */
export interface S3ContenderKind {
  readonly name: string;
  start(contending: S3Contending): Promise<Contender>;
}

/** This server with its catalog in Postgres and its bytes in S3, as several nodes run it. */
export const hawserOnS3: S3ContenderKind = {
  name: "Hawser",
  start: ({ stores, directory }) => {
    const flags = ["--catalog", stores.catalogUrl, "--blobs", stores.blobsUrl, "--migrate"];
    const key = { HAWSER_KEY: "the key that all nodes of a bench share" };
    return startHawser(directory, flags, { ...stores.ceph.environment, ...key });
  },
};

/** A bare `node:http` that pipes each body into AWS's uploader. */
export const libStorage: S3ContenderKind = {
  name: "lib-storage",
  start: async ({ stores }) => {
    if (stores.digest === "md5") throw new Error("the uploader has no way to send an MD5");
    const process = await started("lib-storage-main.ts", [stores.blobsUrl, stores.digest ?? ""]);
    let number = 0;
    return {
      name: "lib-storage",
      ...process,
      create: () => null,
      append: () => ({ method: "PUT", path: `/${(number += 1)}`, headers: {} }),
      stop: () => process.process.stop(),
    };
  },
};

/** The reference tus server for Node with its S3 store. */
export const tusOnS3: S3ContenderKind = {
  name: "@tus/s3-store",
  start: async ({ stores, directory }) => {
    const { bucket, endpoint } = stores.ceph;
    const process = await started("tus-s3-main.ts", [endpoint, bucket], { TMPDIR: directory });
    return {
      name: "@tus/s3-store",
      ...process,
      ...tusRequests,
      stop: () => process.process.stop(),
    };
  },
};

async function started(
  program: string,
  options: readonly string[],
  environment: Record<string, string> = {},
): Promise<Pick<Contender, "process" | "port">> {
  const main = fileURLToPath(new URL(program, import.meta.url));
  const command = ["--conditions=source", main, ...options];
  const process = new MeasuredProcess(globalThis.process.execPath, command, environment);
  const [, port] = await process.said(/listening on http:\/\/127\.0\.0\.1:(\d+)/);
  return { process, port: Number(port) };
}
