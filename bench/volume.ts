import { randomFillSync } from "node:crypto";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";

export interface ScratchDirectory extends AsyncDisposable {
  readonly path: string;
}

/** A place for the files of a benchmark, removed with all that is in it. */
export class Volume implements AsyncDisposable {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async make(parent: string): Promise<Volume> {
    await mkdir(parent, { recursive: true });
    return new Volume(await mkdtemp(join(parent, "hawser-bench-")));
  }

  /** A directory of its own, gone when it is disposed of. */
  async directory(): Promise<ScratchDirectory> {
    const path = await mkdtemp(join(this.#root, "run-"));
    return {
      path,
      [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
    };
  }

  /** A file of random bytes, made once a run. */
  async file(name: string, length: number): Promise<string> {
    const path = join(this.#root, `${name}-${length}`);
    const handle = await open(path, "a");
    try {
      if ((await handle.stat()).size === length) return path;
      const piece = Buffer.alloc(8 * 1024 ** 2);
      for (let left = length; left > 0; left -= piece.length) {
        await handle.write(randomFillSync(piece), 0, Math.min(left, piece.length));
      }
      return path;
    } finally {
      await handle.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}
