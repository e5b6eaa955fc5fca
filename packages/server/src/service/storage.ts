import path from "node:path";
import { z } from "zod";
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
import { CatalogGuard, type SweepCounter } from "../engine/removal-guard.ts";
import type { StorageConfig } from "./config.ts";
import { descriptorsMax } from "./descriptors-max.ts";
import { ownDirectory } from "./own-directory.ts";

/** What outlives a process, but for the bytes: enough for what is only about apps and tokens. */
export interface Records {
  readonly keyring: Keyring;
  readonly catalog: Catalog;
  /** Opens the bytes, too. Called once; what it opens is closed with the rest. */
  openBlobs(use: BlobsUse): Promise<OpenedBlobs>;
  close(): Promise<void>;
}

/** A store that is only read is not tried out first: nothing is put, and its keys may not allow it. */
export type BlobsUse = "reading" | "everything";

/** What outlives a process. */
export interface Storage extends Omit<Records, "openBlobs">, OpenedBlobs {}

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
export async function openStorage(
  options: StorageOptions,
  use: BlobsUse = "everything",
): Promise<Storage> {
  const records = await openRecords(options);
  const { keyring, catalog } = records;
  const close = (): Promise<void> => records.close();
  try {
    return { keyring, catalog, close, ...(await records.openBlobs(use)) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The same without the bytes, which are opened when they are asked for. */
export async function openRecords(options: StorageOptions): Promise<Records> {
  const { config } = options;
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.toReversed()) await each.close();
  };
  const ownership = await ownDirectory(config.dataDirectory);
  opened.push({
    close: () => {
      ownership.release();
      return Promise.resolve();
    },
  });
  try {
    const keyring = await Keyring.open(path.join(config.dataDirectory, "key"), config.key);
    const found = await openCatalog(options);
    const { catalog } = found;
    opened.push(catalog);
    if (config.catalogUrl !== undefined) await agreeOnKey(catalog, keyring);
    const openBytes = async (use: BlobsUse): Promise<OpenedBlobs> => {
      const bytes = await openBlobs(options, found, use);
      opened.push(bytes.blobs);
      return bytes;
    };
    return { keyring, catalog, openBlobs: openBytes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface OpenedCatalog {
  readonly catalog: Catalog;
  /** Names the database that answers; undefined where a file is one. */
  readonly identity: () => Promise<string | undefined>;
}

async function openCatalog({ config, onFatal }: StorageOptions): Promise<OpenedCatalog> {
  if (config.catalogUrl === undefined) {
    const file = path.join(config.dataDirectory, "catalog.sqlite");
    const catalog = await SqliteCatalog.open(file, onFatal);
    return { catalog, identity: () => Promise.resolve(undefined) };
  }
  const { catalogUrl: url, catalogConnections: connectionsMax } = config;
  // What most servers have no use for is loaded only here.
  const { PostgresCatalog } = await import("../catalog/postgres.ts");
  const catalog = await PostgresCatalog.open({ ...outside, url, connectionsMax });
  return { catalog, identity: () => catalog.identity() };
}

export interface OpenedBlobs {
  readonly blobs: BlobStore;
  /** Undefined where the bytes lie beside the catalog and are restored together with it. */
  readonly removalGuard: CatalogGuard | undefined;
}

async function openBlobs(
  options: StorageOptions,
  { catalog, identity }: OpenedCatalog,
  use: BlobsUse,
): Promise<OpenedBlobs> {
  const { blobsUrl } = options.config;
  if (blobsUrl === undefined) {
    return { blobs: await openDisk(options), removalGuard: undefined };
  }
  const [{ S3BlobStore }, { parseS3Location }] = await Promise.all([
    import("../blobs/s3/s3-blob-store.ts"),
    import("../blobs/s3/s3-location.ts"),
  ]);
  const deploymentId = await catalog.claimMark("deployment", systemRandom.uuid());
  const wanted = parseS3Location(blobsUrl);
  const location = use === "reading" ? { ...wanted, createBucket: false } : wanted;
  const store = await S3BlobStore.open({ ...outside, location, deploymentId });
  try {
    if (use === "everything") {
      const profile = await store.selfTest();
      const { bucket, prefix } = location;
      options.log.info({ bucket, prefix, ...profile }, "S3 store");
    }
    await agreeOnDeployment(store, deploymentId, use);
    // Rows and objects lie apart: a catalog that was restored alone must not have bytes removed.
    const counter = sweepCounter(store);
    return { blobs: store, removalGuard: new CatalogGuard({ catalog, counter, identity }) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Small objects with names, beside the bytes. */
interface NamedObjects {
  readObject(name: string): Promise<string | undefined>;
  writeObject(name: string, text: string): Promise<void>;
}

/** Two deployments under one prefix would each take the other's objects for orphans. */
async function agreeOnDeployment(
  store: NamedObjects,
  deploymentId: string,
  use: BlobsUse,
): Promise<void> {
  const name = "deployment.json";
  const found = await store.readObject(name);
  if (found === undefined) {
    if (use === "reading") return;
    await store.writeObject(name, `${JSON.stringify({ deployment: deploymentId })}\n`);
    return;
  }
  const { deployment } = z.object({ deployment: z.string() }).parse(JSON.parse(found));
  if (deployment === deploymentId) return;
  throw new Error(
    `This bucket and prefix belong to the deployment ${deployment}; the catalog is that of ` +
      `${deploymentId}. Name another prefix in --blobs, or the catalog that belongs to it.`,
  );
}

/** How many sweeps there were, as the store remembers it. */
export function sweepCounter(store: NamedObjects): SweepCounter {
  const name = "sweeps.json";
  return {
    read: async () => {
      const found = await store.readObject(name);
      if (found === undefined) return undefined;
      return z.object({ sweeps: z.int().min(0) }).parse(JSON.parse(found)).sweeps;
    },
    write: (sweeps) => store.writeObject(name, `${JSON.stringify({ sweeps })}\n`),
  };
}

async function openDisk(options: StorageOptions): Promise<BlobStore> {
  const { dataDirectory } = options.config;
  const { openFilesMax, cleanFilesMax } = fileShares(await descriptorsMax());
  const volume = await NodeVolume.open({
    directory: path.join(dataDirectory, "blobs"),
    quarantineDirectory: path.join(dataDirectory, "quarantine"),
    syncsMax: Math.max(1, Math.floor(options.threadPoolSize / 2)),
    openFilesMax,
  });
  const { log, onVolumeFailure } = options;
  return new DiskBlobStore({ ...outside, volume, log, cleanFilesMax, onVolumeFailure });
}

/**
 * How many files of uploads may be open of so many descriptors, and how many of those though they
 * wait for nothing: fewer, so that a file that has to wait for its turn gets one.
 */
export function fileShares(descriptors: number): {
  readonly openFilesMax: number;
  readonly cleanFilesMax: number;
} {
  // The larger part is for sockets.
  const openFilesMax = Math.floor(descriptors * limits.openFilesShare);
  return {
    openFilesMax,
    cleanFilesMax: Math.min(limits.cleanFilesMax, Math.floor(openFilesMax / 2)),
  };
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
