import type { ResumeEntry, ResumeStore } from "./resume-store/resume-store.ts";
import { resumeKey } from "./resume-store/resume-store.ts";

/** What does not change of an entry while the upload runs. */
export type EntryBase = Omit<ResumeEntry, "id" | "state" | "handle" | "fileId" | "updatedAt">;

/** One upload's place in the resume store. A store that fails is told of once and never fatal. */
export class Remembrance {
  readonly #store: ResumeStore | undefined;
  readonly #key: string;
  readonly #base: EntryBase;
  #onTrouble: ((message: string) => void) | undefined;

  constructor(
    store: ResumeStore | undefined,
    base: EntryBase,
    onTrouble: (message: string) => void,
  ) {
    this.#store = store;
    this.#base = base;
    this.#key = resumeKey(base.url, base.appId, base.identity);
    this.#onTrouble = onTrouble;
  }

  recall(): Promise<ResumeEntry | undefined> {
    return this.#guarded((store) => store.get(this.#key));
  }

  async keep(news: Pick<ResumeEntry, "id" | "state" | "handle" | "fileId">, nowMs: number) {
    const entry = { ...this.#base, ...news, updatedAt: nowMs };
    await this.#guarded((store) => store.put(this.#key, entry));
  }

  async forget(): Promise<void> {
    await this.#guarded((store) => store.remove(this.#key));
  }

  async #guarded<T>(use: (store: ResumeStore) => Promise<T>): Promise<T | undefined> {
    if (this.#store === undefined) return undefined;
    try {
      return await use(this.#store);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#onTrouble?.(`the upload cannot be remembered for later: ${reason}`);
      this.#onTrouble = undefined;
      return undefined;
    }
  }
}
