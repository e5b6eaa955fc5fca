import { execFile } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A real file system on an image of its own, whose power can be cut. Needs root on Linux. */
export class LoopVolume {
  readonly mountPoint: string;
  readonly #directory: string;
  readonly #image: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#image = join(directory, "image");
    this.mountPoint = join(directory, "mounted");
  }

  /** The volume, or the reason why there can be none here. */
  static async make(kind: "ext4" | "xfs", length: number): Promise<LoopVolume | string> {
    const directory = await mkdtemp(join(tmpdir(), "hawser-volume-"));
    const volume = new LoopVolume(directory);
    try {
      const image = await open(volume.#image, "w");
      await image.truncate(length);
      await image.close();
      await run(`mkfs.${kind}`, ["-q", volume.#image]);
      await run("mkdir", [volume.mountPoint]);
      await volume.mount();
      await run("xfs_io", ["-x", "-c", "statfs", volume.mountPoint]);
      return volume;
    } catch (error) {
      await volume.remove();
      return `no ${kind} image can be mounted here: ${String(error).split("\n")[0] ?? ""}`;
    }
  }

  async mount(): Promise<void> {
    await run("mount", ["-o", "loop", this.#image, this.mountPoint]);
  }

  async unmount(): Promise<void> {
    await run("umount", [this.mountPoint]);
  }

  /** From here on nothing reaches the image any more, not even the journal. */
  async cutPower(): Promise<void> {
    await run("xfs_io", ["-x", "-c", "shutdown", this.mountPoint]);
  }

  async remove(): Promise<void> {
    await this.unmount().catch(() => undefined);
    await rm(this.#directory, { recursive: true, force: true });
  }
}
