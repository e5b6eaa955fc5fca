import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ResumeEntry, ResumeStore } from "./resume-store.ts";
import { isResumeEntry } from "./resume-store.ts";

/**
 * Remembers uploads in a directory, one file an entry. Files are readable by their owner only,
 * because ids and handles are worth something to others.
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
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const name = this.#fileName(key);
    const temporary = join(this.#directory, `${name}.${randomBytes(6).toString("hex")}.new`);
    try {
      await writeDurably(temporary, JSON.stringify({ version: 1, key, entry }, undefined, 2));
      await rename(temporary, join(this.#directory, name));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.#directory, this.#fileName(key)), { force: true });
  }

  async list(): Promise<{ key: string; entry: ResumeEntry }[]> {
    const names = await readdir(this.#directory).catch(() => []);
    const entryNames = names.filter((name) => name.endsWith(".json"));
    const stored = await Promise.all(entryNames.map((name) => this.#load(name)));
    return stored.filter((entry) => entry !== undefined);
  }

  #fileName(key: string): string {
    return `${createHash("sha256").update(key).digest("hex").slice(0, 32)}.json`;
  }

  async #load(name: string): Promise<{ key: string; entry: ResumeEntry } | undefined> {
    const text = await readFile(join(this.#directory, name), "utf8").catch(() => undefined);
    return text === undefined ? undefined : decode(text);
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
