import fs from "node:fs";
import { mkdir, open, opendir, rename, rm, statfs } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { systemErrorCode } from "../../base/errors.ts";
import type { StoreRoom } from "../blob-store.ts";
import { Gate } from "../../base/gate.ts";
import type { Volume, VolumeFile } from "./volume.ts";

const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const fstat = promisify(fs.fstat);
const closeDescriptor = promisify(fs.close);
const openDescriptor = promisify(fs.open);
const writev = promisify(fs.writev);
const readInto = promisify(fs.read);

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR } = fs.constants;

/** Above this many pieces one copy is cheaper than a long vector of tiny ones. */
const vectorLengthMax = 512;

export interface NodeVolumeOptions {
  /** Holds 256 directories of files. Made when missing, and its own name made durable. */
  readonly directory: string;
  readonly quarantineDirectory: string;
  /** Syncs that may run at once: at most half of the thread pool, so that writes go on. */
  readonly syncsMax: number;
  /** Files that may be open for writing at once; who wants another one waits for a place. */
  readonly openFilesMax: number;
}

/** A directory of the real file system. */
export class NodeVolume implements Volume {
  readonly #options: NodeVolumeOptions;
  readonly #syncs: Gate;
  readonly #places: Gate;

  private constructor(options: NodeVolumeOptions) {
    this.#options = options;
    this.#syncs = new Gate(options.syncsMax);
    this.#places = new Gate(options.openFilesMax);
  }

  static async open(options: NodeVolumeOptions): Promise<NodeVolume> {
    const { directory, quarantineDirectory } = options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await mkdir(quarantineDirectory, { recursive: true, mode: 0o700 });
    for (let number = 0; number < 256; number += 1) {
      const name = number.toString(16).padStart(2, "0");
      await mkdir(path.join(directory, name), { recursive: true, mode: 0o700 });
    }
    await syncDirectory(directory);
    await syncDirectory(path.dirname(directory));
    return new NodeVolume(options);
  }

  create(key: string): Promise<VolumeFile> {
    return this.#openToWrite(key, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  }

  async open(key: string, mode: "read" | "write"): Promise<VolumeFile> {
    if (mode === "write") return await this.#openToWrite(key, O_RDWR | O_NOFOLLOW);
    const descriptor = await openDescriptor(this.#path(key), O_RDONLY | O_NOFOLLOW);
    return new NodeVolumeFile(descriptor, { syncs: this.#syncs, closed: () => undefined });
  }

  syncDirectory(key: string): Promise<void> {
    return this.#syncs.run(() => syncDirectory(path.dirname(this.#path(key))));
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  async *list(): AsyncIterable<string> {
    const directories = await opendir(this.#options.directory);
    for await (const directory of directories) {
      if (!directory.isDirectory()) continue;
      const files = await opendir(path.join(this.#options.directory, directory.name));
      for await (const file of files) yield `${directory.name}/${file.name}`;
    }
  }

  async quarantine(key: string): Promise<boolean> {
    const place = path.join(this.#options.quarantineDirectory, path.basename(key));
    try {
      await rename(this.#path(key), place);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return false;
      throw error;
    }
  }

  async room(): Promise<StoreRoom> {
    const { bavail, blocks, bsize } = await statfs(this.#options.directory);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  }

  async #openToWrite(key: string, flags: number): Promise<VolumeFile> {
    await this.#places.enter();
    const closed = (): void => {
      this.#places.leave();
    };
    try {
      const descriptor = await openDescriptor(this.#path(key), flags, 0o600);
      return new NodeVolumeFile(descriptor, { syncs: this.#syncs, closed });
    } catch (error) {
      closed();
      throw error;
    }
  }

  #path(key: string): string {
    return path.join(this.#options.directory, key);
  }
}

class NodeVolumeFile implements VolumeFile {
  readonly #descriptor: number;
  readonly #syncs: Gate;
  readonly #closed: () => void;

  constructor(descriptor: number, parts: { readonly syncs: Gate; readonly closed: () => void }) {
    this.#descriptor = descriptor;
    this.#syncs = parts.syncs;
    this.#closed = parts.closed;
  }

  async length(): Promise<number> {
    return (await fstat(this.#descriptor)).size;
  }

  async write(chunks: readonly Uint8Array[], position: number): Promise<number> {
    const vector = chunks.length > vectorLengthMax ? [Buffer.concat(chunks)] : [...chunks];
    const { bytesWritten } = await writev(this.#descriptor, vector, position);
    return bytesWritten;
  }

  sync(): Promise<void> {
    return this.#syncs.run(() => fdatasync(this.#descriptor));
  }

  truncate(length: number): Promise<void> {
    return ftruncate(this.#descriptor, length);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await readInto(this.#descriptor, into, 0, into.length, position);
    return bytesRead;
  }

  async close(): Promise<void> {
    try {
      await closeDescriptor(this.#descriptor);
    } finally {
      this.#closed();
    }
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // Windows cannot sync a directory, and its file systems do not need it.
    if (systemErrorCode(error) !== "EPERM" || process.platform !== "win32") throw error;
  } finally {
    await handle.close();
  }
}
