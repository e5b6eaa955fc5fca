import { execFile } from "node:child_process";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

import { SmallVolume } from "../support/small-volume.ts";

const run = promisify(execFile);
const MiB = 1024 * 1024;
const backingLength = 128 * MiB;
const imageLength = 1024 * MiB;
/** Where the file system keeps its own things, its journal too. */
const metadataLength = 24 * MiB;
const pageLength = 4096;

interface LoopDevice {
  readonly path: string;
  /** The file that says how large a request may be, and what it said before. */
  readonly queue: string;
  readonly requestKibibytes: string;
}

/**
 * An ext4 that believes it has more room than its image can get: writes are taken, and the sync
 * that comes to carry them out really fails, with EIO or, on later kernels, ENOSPC. Needs root on Linux.
 */
export class OvercommittedVolume {
  readonly mountPoint: string;
  readonly #backing: SmallVolume;
  #device: LoopDevice | undefined;

  private constructor(backing: SmallVolume) {
    this.#backing = backing;
    this.mountPoint = join(backing.mountPoint, "..", "overcommitted");
  }

  /** The volume, or the reason why there can be none here. */
  static async make(): Promise<OvercommittedVolume | string> {
    const backing = await SmallVolume.make(backingLength);
    if (typeof backing === "string") return backing;
    const volume = new OvercommittedVolume(backing);
    try {
      const image = await open(volume.#image, "wx");
      await image.truncate(imageLength);
      await image.close();
      const features = "packed_meta_blocks=1,lazy_itable_init=0,lazy_journal_init=0,nodiscard";
      await run("mkfs.ext4", ["-q", "-F", "-J", "size=4", "-E", features, volume.#image]);
      await volume.#backMetadata();
      await mkdir(volume.mountPoint);
      await volume.mount();
      return volume;
    } catch (error) {
      await volume.remove();
      return `no ext4 image can be mounted here: ${String(error).split("\n")[0] ?? ""}`;
    }
  }

  get #image(): string {
    return join(this.#backing.mountPoint, "image");
  }

  /** From here on so many bytes more can be stored, whatever the file system says. */
  async limitRoom(bytes: number): Promise<void> {
    await run("sync", ["-f", this.mountPoint]);
    await this.#backing.fillUntil(bytes);
  }

  async makeRoom(): Promise<void> {
    await this.#backing.makeRoom();
  }

  async mount(): Promise<void> {
    const { stdout } = await run("losetup", ["--find", "--show", this.#image]);
    const device = stdout.trim();
    const queue = `/sys/block/${basename(device)}/queue/max_sectors_kb`;
    this.#device = { path: device, queue, requestKibibytes: await readFile(queue, "utf8") };
    // A request of several pages of which some found no room is called done by Linux' loop driver
    // (lo_complete_rq looks at a short count for reads only): such a disk lies, and no sync helps.
    await writeFile(queue, `${pageLength / 1024}`);
    await run("mount", [device, this.mountPoint]);
  }

  /** What never reached the image is forgotten with it. */
  async unmount(): Promise<void> {
    const device = this.#device;
    this.#device = undefined;
    if (device === undefined) return;
    try {
      await run("umount", [this.mountPoint]);
    } finally {
      // The number may be another volume's next.
      await writeFile(device.queue, device.requestKibibytes);
      await run("losetup", ["--detach", device.path]);
    }
  }

  async remove(): Promise<void> {
    await this.unmount().catch(() => undefined);
    await this.#backing.remove();
  }

  /** Holes are filled, or the journal would fail in place of the bytes. */
  async #backMetadata(): Promise<void> {
    const image = await open(this.#image, "r+");
    try {
      const block = Buffer.alloc(MiB);
      for (let position = 0; position < metadataLength; position += MiB) {
        await image.read(block, 0, MiB, position);
        await image.write(block, 0, MiB, position);
      }
    } finally {
      await image.close();
    }
  }
}
