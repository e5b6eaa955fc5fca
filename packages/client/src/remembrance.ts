import type { Clock } from "./clock.ts";
import { toError } from "./errors.ts";
import type { ResumeEntry, ResumeStore } from "./resume-store/resume-store.ts";
import { resumeKey } from "./resume-store/resume-store.ts";

/** What does not change of an entry while the upload runs. */
export type EntryBase = Omit<ResumeEntry, "id" | "state" | "handle" | "fileId" | "updatedAt">;

export interface RemembranceParts {
  readonly store: ResumeStore | undefined;
  /** What an earlier process left is not looked at. */
  readonly fresh: boolean;
  readonly base: EntryBase;
  readonly clock: Clock;
  readonly onTrouble: (message: string) => void;
}

/** One upload's place in the resume store. A store that fails is told of once and never fatal. */
export class Remembrance {
  readonly #parts: RemembranceParts;
  readonly #key: string;
  #isTold = false;

  constructor(parts: RemembranceParts) {
    const { url, appId, identity } = parts.base;
    this.#parts = parts;
    this.#key = resumeKey(url, appId, identity);
  }

  async recall(): Promise<ResumeEntry | undefined> {
    return this.#parts.fresh ? undefined : this.#guarded((store) => store.get(this.#key));
  }

  async keep(news: Pick<ResumeEntry, "id" | "state" | "handle" | "fileId">): Promise<void> {
    const { base, clock } = this.#parts;
    const entry = { ...base, ...news, updatedAt: clock.now() };
    await this.#guarded((store) => store.put(this.#key, entry));
  }

  async forget(): Promise<void> {
    await this.#guarded((store) => store.remove(this.#key));
  }

  async #guarded<T>(use: (store: ResumeStore) => Promise<T>): Promise<T | undefined> {
    const { store, onTrouble } = this.#parts;
    try {
      return store && (await use(store));
    } catch (error) {
      const { message } = toError(error);
      if (!this.#isTold) onTrouble(`the upload cannot be remembered for later: ${message}`);
      this.#isTold = true;
      return undefined;
    }
  }
}
