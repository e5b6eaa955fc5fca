import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LoopVolume } from "../support/loop-volume.ts";
import type { ServerProcess } from "../support/server-process.ts";

const volumeBytes = 4 * 1024 ** 3;

/** Where a server's data lies, and how that server is brought down without warning. */
export interface CrashSite {
  readonly dataDirectory: string;
  /** Afterwards no server runs, and a new one can be started on what is left. */
  crash(server: ServerProcess): Promise<void>;
  remove(): Promise<void>;
}

/** A directory of this machine: a crash ends the process and nothing else. */
export class DirectorySite implements CrashSite {
  readonly dataDirectory: string;

  private constructor(dataDirectory: string) {
    this.dataDirectory = dataDirectory;
  }

  static async make(): Promise<DirectorySite> {
    return new DirectorySite(await mkdtemp(join(tmpdir(), "hawser-crash-")));
  }

  async crash(server: ServerProcess): Promise<void> {
    await server.kill9();
  }

  async remove(): Promise<void> {
    await rm(this.dataDirectory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A file system of its own: a crash is a power cut, and what was not synced is gone. */
export class VolumeSite implements CrashSite {
  readonly dataDirectory: string;
  readonly #volume: LoopVolume;

  private constructor(volume: LoopVolume) {
    this.#volume = volume;
    this.dataDirectory = join(volume.mountPoint, "data");
  }

  /** The site, or the reason why there can be none here. */
  static async make(kind: "ext4" | "xfs"): Promise<VolumeSite | string> {
    const volume = await LoopVolume.make(kind, volumeBytes);
    if (typeof volume === "string") return volume;
    const site = new VolumeSite(volume);
    await mkdir(site.dataDirectory);
    return site;
  }

  async crash(server: ServerProcess): Promise<void> {
    // Stopped first: an answer sent after the cut would look like a loss.
    server.signal("SIGSTOP");
    await this.#volume.cutPower();
    await server.kill9();
    await this.#volume.unmount();
    await this.#volume.mount();
  }

  async remove(): Promise<void> {
    await this.#volume.remove();
  }
}
