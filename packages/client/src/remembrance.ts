import type { UploadFacts } from "./dialects/dialect.ts";
import { toError } from "./errors.ts";
import type { ParsedOptions } from "./options.ts";
import type { Tools } from "./platform/platform.ts";
import type { ResumeEntry, ResumeStore } from "./resume-store/resume-store.ts";
import { resumeKey } from "./resume-store/resume-store.ts";
import type { Source } from "./sources/source.ts";

/** Of what is known of the upload anyway. */
export interface RemembranceParts {
  readonly options: Pick<ParsedOptions, "connection" | "resumeStore" | "fresh" | "onWarning">;
  readonly source: Pick<Source, "identity" | "fingerprint">;
  readonly facts: UploadFacts;
  readonly tools: Pick<Tools, "clock">;
}

/** Keys of the uploads that this process is at. */
const underWay = new Set<string>();

/** One upload's place in the resume store. A store that fails is told of once and never fatal. */
export class Remembrance {
  readonly #parts: RemembranceParts;
  readonly #key: string;
  #isTold = false;

  constructor(parts: RemembranceParts) {
    const { url, appId } = parts.options.connection;
    this.#parts = parts;
    this.#key = resumeKey(url, appId, parts.source.identity);
  }

  /**
   * What an earlier process left of the upload, unless that is not to be looked at.
   *
   * @param orNamesake or else of another one, where a file is known by its name and content: of
   *   another file, or of this one before it changed. Not of one that is under way: there are files
   *   of one name in many folders
   */
  async recall(orNamesake = false): Promise<ResumeEntry | undefined> {
    const { options, source } = this.#parts;
    if (options.fresh) return undefined;
    return this.#guarded(async (store) => {
      const start = this.#key.slice(0, this.#key.indexOf(source.fingerprint));
      const own = await store.get(this.#key);
      if (own || !orNamesake || !/blob:.+:$/.test(start)) return own;
      const left = await store.list(start);
      return left.find(({ key, entry }) => entry.state === "open" && !underWay.has(key))?.entry;
    });
  }

  /** The upload is under way from now on; answers what ends it. */
  enter(): () => void {
    underWay.add(this.#key);
    return () => underWay.delete(this.#key);
  }

  async keep(news: Pick<ResumeEntry, "id" | "state" | "handle" | "fileId">): Promise<void> {
    const { options, source, facts, tools } = this.#parts;
    const { url, appId } = options.connection;
    const { identity, fingerprint } = source;
    const updatedAt = tools.clock.now();
    const entry = { url, appId, identity, fingerprint, ...facts, ...news, updatedAt };
    await this.#guarded((store) => store.put(this.#key, entry));
  }

  async forget(): Promise<void> {
    await this.#guarded((store) => store.remove(this.#key));
  }

  async #guarded<T>(use: (store: ResumeStore) => Promise<T>): Promise<T | undefined> {
    const { resumeStore, onWarning } = this.#parts.options;
    try {
      return resumeStore && (await use(resumeStore));
    } catch (error) {
      const message = `the upload cannot be remembered for later: ${toError(error).message}`;
      if (!this.#isTold) onWarning({ code: "forgetful", message });
      this.#isTold = true;
      return undefined;
    }
  }
}
