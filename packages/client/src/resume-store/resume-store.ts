/** What is remembered of an upload, so that a later process can go on with it. */
export interface ResumeEntry {
  /** Base URL of the server. */
  readonly url: string;
  /** The app's id; in a dialect that knows no apps the dialect's name. */
  readonly appId: string;
  /** What the source is called on this machine (`Source.identity`). */
  readonly identity: string;
  /** What the content looked like (`Source.fingerprint`). */
  readonly fingerprint: string;
  readonly name: string;
  readonly type: string;
  /** Bytes. */
  readonly length: number;
  /** The upload's id as the server gave it. */
  readonly id: string;
  readonly state: "open" | "complete";
  /** Once complete. */
  readonly handle?: string | undefined;
  /** Once published. */
  readonly fileId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
}

/**
 * Remembers uploads. An entry is replaced as a whole; `put` and `remove` are idempotent and durable
 * when they resolve; a missing or damaged entry reads as undefined, because starting anew is always
 * possible. Several processes may use one store; the last `put` of a key wins.
 */
export interface ResumeStore {
  get(key: string): Promise<ResumeEntry | undefined>;
  put(key: string, entry: ResumeEntry): Promise<void>;
  remove(key: string): Promise<void>;
  /**
   * Entries with their keys, in no order.
   *
   * @param start those alone whose key begins so; all unless given. Asked for before each upload of
   *   a file that a browser knows by its name, hence best found without reading all
   */
  list(start?: string): Promise<readonly { readonly key: string; readonly entry: ResumeEntry }[]>;
}

/**
 * The key of an upload: where it goes, for which app, from what.
 *
 * @param url as given to `upload`; in Graph without a slash at its end
 * @param appId in a dialect that knows no apps the dialect's name, such as `tus`
 */
export function resumeKey(url: string, appId: string, identity: string): string {
  return JSON.stringify([url, appId, identity]);
}

/** Whether something that was read back is an entry. */
export function isResumeEntry(value: unknown): value is ResumeEntry {
  if (typeof value !== "object" || value === null) return false;
  // `as` because every field that is used is looked at here.
  const entry = value as Readonly<Record<keyof ResumeEntry, unknown>>;
  const { url, appId, identity, fingerprint, name, type, id } = entry;
  const texts = [url, appId, identity, fingerprint, name, type, id];
  const numbers = [entry.length, entry.updatedAt];
  return (
    texts.every((text) => typeof text === "string") &&
    numbers.every((number) => typeof number === "number") &&
    (entry.state === "open" || entry.state === "complete")
  );
}
