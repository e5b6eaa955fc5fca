import type { DBSchema, IDBPDatabase } from "idb";
import { openDB } from "idb";
import type { ResumeEntry, ResumeStore } from "./resume-store.ts";
import { isResumeEntry } from "./resume-store.ts";

interface Tables extends DBSchema {
  /** Read as unknown, because anything of this origin may write here. */
  entries: { key: string; value: unknown };
  handles: { key: string; value: FileSystemFileHandle };
}

const durable = Object.freeze({ durability: "strict" });

/**
 * Remembers uploads in the browser, for the pages of one origin. It can keep a file's handle beside
 * its upload as well, so that a reload goes on without the file being picked again.
 *
 * @example
 * import { IndexedDbResumeStore } from "hawser-client/indexed-db"; // wants the package idb
 * const resumeStore = new IndexedDbResumeStore();
 * const task = upload(input.files[0], { url, appId: "app", token, resumeStore });
 */
export class IndexedDbResumeStore implements ResumeStore {
  readonly #name: string;
  #database: Promise<IDBPDatabase<Tables>> | undefined;

  /** @param name of the IndexedDB database, made when it is first needed. */
  constructor(name = "hawser-client") {
    this.#name = name;
  }

  async get(key: string): Promise<ResumeEntry | undefined> {
    const entry = await (await this.#open()).get("entries", key);
    return isResumeEntry(entry) ? entry : undefined;
  }

  async put(key: string, entry: ResumeEntry): Promise<void> {
    const change = (await this.#open()).transaction("entries", "readwrite", durable);
    await Promise.all([change.store.put(entry, key), change.done]);
  }

  /** With the handle that was kept for it. */
  async remove(key: string): Promise<void> {
    const tables = ["entries", "handles"] as const;
    const change = (await this.#open()).transaction(tables, "readwrite", durable);
    const removed = tables.map((table) => change.objectStore(table).delete(key));
    await Promise.all([...removed, change.done]);
  }

  async list(start = ""): Promise<{ key: string; entry: ResumeEntry }[]> {
    const { store } = (await this.#open()).transaction("entries");
    const range = IDBKeyRange.bound(start, `${start}\uffff`);
    const [keys, entries] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
    return keys.flatMap((key, index) => {
      const entry = entries[index];
      return isResumeEntry(entry) ? [{ key, entry }] : [];
    });
  }

  /**
   * Keeps the handle that a file picker gave, until the upload is forgotten. Best called before the
   * upload begins, with the key it will have: `resumeKey(url, appId, await fileIdentity(file))`.
   */
  async keepHandle(key: string, handle: FileSystemFileHandle): Promise<void> {
    const change = (await this.#open()).transaction("handles", "readwrite", durable);
    await Promise.all([change.store.put(handle, key), change.done]);
  }

  /**
   * The handle kept for an entry. After a reload the browser wants the user to allow it anew: call
   * `requestPermission` on it in a click, then give it to `upload`.
   */
  async handleOf(key: string): Promise<FileSystemFileHandle | undefined> {
    return (await this.#open()).get("handles", key);
  }

  /** Lets go of the database; the next call opens it again. */
  async close(): Promise<void> {
    const opened = this.#database;
    this.#database = undefined;
    (await opened)?.close();
  }

  #open(): Promise<IDBPDatabase<Tables>> {
    if (this.#database !== undefined) return this.#database;
    const forget = () => {
      this.#database = undefined;
    };
    const opening = openDB<Tables>(this.#name, 1, {
      upgrade: (database) => {
        database.createObjectStore("entries");
        database.createObjectStore("handles");
      },
      // Another tab wants to change or delete the database, and waits for this one to let go.
      blocking: () => void this.close(),
      terminated: forget,
    });
    this.#database = opening;
    opening.catch(forget);
    return opening;
  }
}
