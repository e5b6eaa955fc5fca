import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestContext } from "vitest";

const run = promisify(execFile);
const MiB = 1024 * 1024;

/** A small file system in memory whose free room a test decides about. Needs root on Linux. */
export class SmallVolume {
  readonly mountPoint: string;
  readonly #directory: string;
  #fillers = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.mountPoint = join(directory, "mounted");
  }

  /** The volume, or the reason why there can be none here. */
  static async make(length: number): Promise<SmallVolume | string> {
    const volume = new SmallVolume(await mkdtemp(join(tmpdir(), "hawser-small-")));
    try {
      await mkdir(volume.mountPoint);
      const options = `size=${length}`;
      await run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", volume.mountPoint]);
      return volume;
    } catch (error) {
      await rm(volume.#directory, { recursive: true, force: true });
      return `a tmpfs cannot be mounted here: ${String(error).split("\n")[0] ?? ""}`;
    }
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.mountPoint);
    return bavail * bsize;
  }

  /** Takes room away until so much is left. */
  async fillUntil(freeBytes: number): Promise<void> {
    const filler = await open(join(this.mountPoint, `filler-${this.#fillers}`), "wx");
    this.#fillers += 1;
    try {
      let left = (await this.freeBytes()) - freeBytes;
      while (left > 0) {
        const block = Buffer.alloc(Math.min(left, MiB), 0xff);
        left -= (await filler.write(block)).bytesWritten;
      }
    } finally {
      await filler.close();
    }
  }

  /** Gives back all the room that was taken away. */
  async makeRoom(): Promise<void> {
    while (this.#fillers > 0) {
      this.#fillers -= 1;
      await rm(join(this.mountPoint, `filler-${this.#fillers}`), { force: true });
    }
  }

  async makeReadOnly(): Promise<void> {
    await run("mount", ["-o", "remount,ro", this.mountPoint]);
  }

  async resize(length: number): Promise<void> {
    await run("mount", ["-o", `remount,size=${length}`, this.mountPoint]);
  }

  async remove(): Promise<void> {
    await run("umount", [this.mountPoint]).catch(() => undefined);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** The same until a test is over, or a skipped test that says why there can be none. */
export async function volumeOrSkip(length: number, context: TestContext): Promise<SmallVolume> {
  const volume = await SmallVolume.make(length);
  if (typeof volume === "string") context.skip(volume);
  return volume;
}

/** Only where it is mounted, for tests that need no more of it. */
export async function mountOrSkip(length: number, context: TestContext): Promise<string> {
  const volume = await volumeOrSkip(length, context);
  context.onTestFinished(() => volume.remove());
  return volume.mountPoint;
}
