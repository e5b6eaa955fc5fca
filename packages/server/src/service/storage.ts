import path from "node:path";
import { Keyring } from "../access/keyring.ts";
import { systemClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import { DiskBlobStore } from "../blobs/disk/disk-blob-store.ts";
import { NodeVolume } from "../blobs/disk/node-volume.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { SqliteCatalog } from "../catalog/sqlite.ts";
import type { StorageConfig } from "./config.ts";
import { descriptorsMax } from "./descriptors-max.ts";
import { ownDirectory } from "./own-directory.ts";

/** What outlives a process. */
export interface Storage {
  readonly keyring: Keyring;
  readonly catalog: Catalog;
  readonly blobs: BlobStore;
  readonly removalGuard: RemovalGuard;
  close(): Promise<void>;
}

export interface StorageOptions {
  readonly config: StorageConfig;
  /** Node's thread pool, of which syncs take at most half, so that writes go on. */
  readonly threadPoolSize: number;
  readonly log: Log;
  /** Called when durability can no longer be promised: the process must end. */
  readonly onFatal: (error: Error) => void;
  /** Called when the volume lost what it was to keep: the blob store acknowledges nothing more. */
  readonly onVolumeFailure: (error: Error) => void;
}

const outside = { clock: systemClock, random: systemRandom };

/** Opens where everything is kept: from here on this process is the data directory's only owner. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { config } = options;
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.toReversed()) await each.close();
  };
  const ownership = await ownDirectory(config.dataDirectory);
  opened.push({ close: () => Promise.resolve(ownership.release()) });
  try {
    const keyring = await Keyring.open(path.join(config.dataDirectory, "key"), config.key);
    const catalog = await openCatalog(options);
    opened.push(catalog);
    if (config.catalogUrl !== undefined) await agreeOnKey(catalog, keyring);
    const blobs = await openBlobs(options, catalog);
    opened.push(blobs);
    return { keyring, catalog, blobs, removalGuard: guardOf(catalog, blobs), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openCatalog({ config, onFatal }: StorageOptions): Promise<Catalog> {
  if (config.catalogUrl === undefined) {
    return await SqliteCatalog.open(path.join(config.dataDirectory, "catalog.sqlite"), onFatal);
  }
  const { catalogUrl: url, catalogConnections: connectionsMax } = config;
  // What most servers have no use for is loaded only here.
  const { PostgresCatalog } = await import("../catalog/postgres.ts");
  return await PostgresCatalog.open({ ...outside, url, connectionsMax });
}

async function openBlobs(options: StorageOptions, catalog: Catalog): Promise<BlobStore> {
  const { config, log } = options;
  if (config.blobsUrl === undefined) return await openDisk(options);
  const { S3BlobStore } = await import("../blobs/s3/s3-blob-store.ts");
  const deploymentId = await catalog.claimMark("deployment", systemRandom.uuid());
  return await S3BlobStore.open({ ...outside, url: config.blobsUrl, deploymentId, log });
}

/** Bytes in a bucket are kept apart from the catalog, and are not restored together with it. */
function guardOf(catalog: Catalog, blobs: BlobStore): RemovalGuard {
  if (!("readObject" in blobs)) return unguardedRemoval;
  throw new Error("to be written");
}

async function openDisk(options: StorageOptions): Promise<BlobStore> {
  const { dataDirectory } = options.config;
  const volume = await NodeVolume.open({
    directory: path.join(dataDirectory, "blobs"),
    quarantineDirectory: path.join(dataDirectory, "quarantine"),
    syncsMax: Math.max(1, Math.floor(options.threadPoolSize / 2)),
    // The larger part is for sockets.
    openFilesMax: Math.floor((await descriptorsMax()) * limits.openFilesShare),
  });
  const { onVolumeFailure } = options;
  const { cleanFilesMax } = limits;
  return new DiskBlobStore({ ...outside, volume, cleanFilesMax, onVolumeFailure });
}

/** Brings the schema in Postgres up to date and returns the steps that were taken for it. */
export async function migrateCatalog(url: string): Promise<readonly string[]> {
  const { migratePostgres } = await import("../catalog/postgres-migrate.ts");
  return await migratePostgres(url);
}

/** Nodes with different keys would each be unable to read what the others sealed. */
async function agreeOnKey(catalog: Catalog, keyring: Keyring): Promise<void> {
  const [current = "", ...older] = keyring.derive("agreement").map((key) => key.toString("hex"));
  const agreed = await catalog.claimMark("key", current);
  if (agreed === current) return;
  if (!older.includes(agreed)) {
    throw new Error(
      "This catalog belongs to a deployment with another key. " +
        "Give every node the same HAWSER_KEY (or the same key file in its data directory).",
    );
  }
  await catalog.writeMark("key", current);
}
