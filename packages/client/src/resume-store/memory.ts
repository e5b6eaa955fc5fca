import type { ResumeEntry, ResumeStore } from "./resume-store.ts";

/** Remembers uploads as long as the process lives. */
export class MemoryResumeStore implements ResumeStore {
  readonly #entries = new Map<string, ResumeEntry>();

  get(key: string): Promise<ResumeEntry | undefined> {
    return Promise.resolve(this.#entries.get(key));
  }

  put(key: string, entry: ResumeEntry): Promise<void> {
    this.#entries.set(key, entry);
    return Promise.resolve();
  }

  remove(key: string): Promise<void> {
    this.#entries.delete(key);
    return Promise.resolve();
  }

  list(start = ""): Promise<{ key: string; entry: ResumeEntry }[]> {
    const all = Array.from(this.#entries, ([key, entry]) => ({ key, entry }));
    return Promise.resolve(all.filter(({ key }) => key.startsWith(start)));
  }
}
