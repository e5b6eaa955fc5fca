import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ResumeEntry, ResumeStore } from "./resume-store.ts";
import { isResumeEntry } from "./resume-store.ts";

const temporaryEnding = ".new";
/** No put is under way for so long. */
const putMsMax = 24 * 60 * 60_000;

/**
 * Remembers uploads in a directory, one file an entry. Files are readable by their owner only,
 * because ids and handles are worth something to others.
 *
 * @example
 * import { FileResumeStore } from "hawser-client";
 * const resumeStore = new FileResumeStore("./uploads-under-way");
 * const { resumedFrom } = await upload("film.mp4", { appId: "1234", token, resumeStore });
 */
export class FileResumeStore implements ResumeStore {
  readonly #directory: string;

  /** @param directory made when it is first needed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async get(key: string): Promise<ResumeEntry | undefined> {
    const stored = await this.#load(this.#fileName(key));
    return stored?.key === key ? stored.entry : undefined;
  }

  async put(key: string, entry: ResumeEntry): Promise<void> {
    await makeDurably(this.#directory);
    const name = this.#fileName(key);
    const temporary = join(
      this.#directory,
      `${name}.${randomBytes(6).toString("hex")}${temporaryEnding}`,
    );
    try {
      await writeDurably(temporary, JSON.stringify({ version: 1, key, entry }, undefined, 2));
      await rename(temporary, join(this.#directory, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(this.#directory);
    await this.#clear().catch(() => undefined);
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#directory, this.#fileName(key)), { force: true });
    await syncDirectory(this.#directory).catch((error: unknown) => {
      // Where there is no directory there was no entry.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }

  async list(start = ""): Promise<{ key: string; entry: ResumeEntry }[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const entryNames = names.filter((name) => name.endsWith(".json"));
    const stored = await Promise.all(entryNames.map((name) => this.#load(name)));
    return stored.filter((one) => one !== undefined).filter(({ key }) => key.startsWith(start));
  }

  /** Removes what puts of killed processes left; nothing is lost where that fails. */
  async #clear(): Promise<void> {
    const names = await readdir(this.#directory);
    const temporary = names.filter((name) => name.endsWith(temporaryEnding));
    const clearing = temporary.map(async (name) => {
      const path = join(this.#directory, name);
      const { mtimeMs } = await stat(path);
      if (mtimeMs < Date.now() - putMsMax) await rm(path, { force: true });
    });
    await Promise.allSettled(clearing);
  }

  #fileName(key: string): string {
    return `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`;
  }

  async #load(name: string): Promise<{ key: string; entry: ResumeEntry } | undefined> {
    const text = await readFile(join(this.#directory, name), "utf8").catch(() => undefined);
    return text === undefined ? undefined : decode(text);
  }
}

async function makeDurably(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  // Each one that was made is an entry of the one above it.
  const first = resolve(made);
  for (let path = resolve(directory); path.length >= first.length; path = dirname(path)) {
    await syncDirectory(dirname(path));
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } catch (error) {
    // Windows cannot sync a directory, and its file systems do not need it.
    if (process.platform !== "win32") throw error;
  } finally {
    await handle.close();
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function decode(text: string): { key: string; entry: ResumeEntry } | undefined {
  try {
    // `as` because the next lines look at everything that is used.
    const stored = JSON.parse(text) as { version?: unknown; key?: unknown; entry?: unknown };
    const { version, key, entry } = stored;
    if (version !== 1 || typeof key !== "string" || !isResumeEntry(entry)) return undefined;
    return { key, entry };
  } catch {
    return undefined;
  }
}
