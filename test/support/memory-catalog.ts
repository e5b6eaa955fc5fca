import type {
  Advance,
  AppUpdate,
  BlobOwner,
  Catalog,
  CommitOutcome,
  EndUpload,
  OpenQuery,
  PageQuery,
  Place,
  PromisedRoom,
  UploadQuery,
} from "../../packages/server/src/catalog/catalog.ts";
import {
  fileDeleted,
  noUploads,
  type App,
  type Extent,
  type PublishedFile,
  type Token,
  type Upload,
  type UploadState,
} from "../../packages/server/src/catalog/records.ts";
import { MemoryRows, updatedApp } from "./memory-rows.ts";
import { MemoryStoreVerbs } from "./memory-store-verbs.ts";

/**
 * A catalog without a disk. One instance stands for one process, whose memory the fences are; the
 * rows outlive it, and every change to them is atomic and counts as durable at once.
 */
export class MemoryCatalog extends MemoryStoreVerbs implements Catalog {
  readonly #fences = new Map<string, string>();

  constructor(rows = new MemoryRows()) {
    super(rows);
  }

  protected override holds(id: string, fence: string): boolean {
    return this.#fences.get(id) === fence;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  insertUpload(upload: Upload, within?: PromisedRoom): Promise<boolean> {
    if (this.rows.uploads.has(upload.id) || this.rows.uploadIdOfBlob.has(upload.blobId)) {
      return Promise.reject(new Error(`upload ${upload.id} is there already`));
    }
    if (within !== undefined) {
      const own = this.#open(within.since).filter(({ appId }) => appId === upload.appId);
      if (bytesDue(own) + (upload.length ?? 0) > within.bytesMax) return Promise.resolve(false);
    }
    this.rows.uploads.set(upload.id, upload);
    this.rows.uploadIdOfBlob.set(upload.blobId, upload.id);
    return Promise.resolve(true);
  }

  findUpload(id: string): Promise<Upload | undefined> {
    return Promise.resolve(this.rows.uploads.get(id));
  }

  listUploads(query: UploadQuery): Promise<Upload[]> {
    const wanted = page(this.rows.uploads.values(), query).filter(
      ({ state }) => query.state === undefined || state === query.state,
    );
    return Promise.resolve(wanted.slice(0, query.limit));
  }

  listOpen({ appId, after, limit }: OpenQuery): Promise<Upload[]> {
    const earlier = (one: Change, other: Change): boolean =>
      one.updatedAt === other.updatedAt ? one.id < other.id : one.updatedAt < other.updatedAt;
    const wanted = this.#open(0)
      .filter((upload) => appId === undefined || upload.appId === appId)
      .filter((upload) => after === undefined || earlier(upload, after))
      .sort((one, other) => (earlier(one, other) ? 1 : -1));
    return Promise.resolve(wanted.slice(0, limit));
  }

  countUploads(): Promise<Record<UploadState, number>> {
    const counts = { ...noUploads };
    for (const { state } of this.rows.uploads.values()) counts[state] += 1;
    return Promise.resolve(counts);
  }

  heldElsewhere(): Promise<Set<string>> {
    return Promise.resolve(new Set());
  }

  listExtents(blobId: string): Promise<Extent[]> {
    return Promise.resolve([...this.rows.extentsOf(blobId)]);
  }

  takeLease(id: string, fence: string): Promise<Upload | undefined> {
    const upload = this.rows.uploads.get(id);
    if (upload !== undefined) this.#fences.set(id, fence);
    return Promise.resolve(upload);
  }

  onLeaseWanted(): void {
    return undefined;
  }

  releaseLease(id: string, fence: string): Promise<void> {
    if (this.#fences.get(id) === fence) this.#fences.delete(id);
    return Promise.resolve();
  }

  advance(advance: Advance): Promise<CommitOutcome> {
    const upload = this.#held(advance.id, advance.fence);
    if (upload?.offset !== advance.from) return Promise.resolve("stale");
    const { ending } = advance;
    this.rows.uploads.set(upload.id, {
      ...upload,
      offset: advance.to,
      length: upload.length ?? advance.length,
      sha256: upload.sha256 ?? advance.sha256,
      crc32: advance.crc32,
      updatedAt: advance.at,
      expiresAt: advance.expiresAt,
      ...(ending === undefined ? {} : { state: ending.state }),
      ...(ending?.state === "complete" ? { completion: ending.completion } : {}),
      ...(ending?.state === "rejected" ? { reason: ending.reason } : {}),
    });
    if (advance.replaced.length > 0) {
      this.rows.replace(advance.blobId, advance.replaced, advance.at);
    }
    for (const extent of advance.extents) this.rows.putExtent(advance.blobId, extent);
    if (ending?.state === "rejected") this.rows.doomBlob(advance.blobId, advance.at);
    return Promise.resolve("done");
  }

  end(ending: EndUpload): Promise<CommitOutcome> {
    const upload = this.#held(ending.id, ending.fence, ending.from);
    if (upload === undefined) return Promise.resolve("stale");
    const { state, reason, at } = ending;
    this.rows.uploads.set(upload.id, { ...upload, state, reason, updatedAt: at });
    // A damaged upload keeps its bytes: somebody will want to look at what is left of them.
    if (state !== "damaged") this.rows.doomBlob(ending.blobId, at);
    return Promise.resolve("done");
  }

  expireUploads(now: number, limit: number): Promise<string[]> {
    const all = this.#expiring(now, Infinity);
    const due = all.filter(({ id }) => !this.#fences.has(id)).slice(0, limit);
    for (const upload of due) {
      this.rows.uploads.set(upload.id, { ...upload, state: "expired", updatedAt: now });
      this.rows.doomBlob(upload.blobId, now);
    }
    return Promise.resolve(due.map(({ id }) => id));
  }

  listExpiring(now: number, limit: number): Promise<Upload[]> {
    return Promise.resolve(this.#expiring(now, limit));
  }

  removeEndedUploads(before: number): Promise<number> {
    const ended = [...this.rows.uploads.values()].filter(
      ({ state, updatedAt }) =>
        (state === "cancelled" || state === "expired" || state === "rejected") &&
        updatedAt < before,
    );
    for (const { id, blobId } of ended) {
      this.rows.uploads.delete(id);
      this.rows.uploadIdOfBlob.delete(blobId);
    }
    return Promise.resolve(ended.length);
  }

  listOpenSince(since: number): Promise<Upload[]> {
    return Promise.resolve(this.#open(since));
  }

  bytesStillDue(since: number): Promise<number> {
    return Promise.resolve(bytesDue(this.#open(since)));
  }

  listUncompleted(limit: number): Promise<Upload[]> {
    const uploads = [...this.rows.uploads.values()];
    return Promise.resolve(
      uploads
        .filter(
          ({ state, completes, offset, length }) =>
            state === "open" && completes === "at_length" && offset === length,
        )
        .slice(0, limit),
    );
  }

  insertFile(file: PublishedFile): Promise<PublishedFile | undefined> {
    const { uploads, files, fileIdOfUpload, fileIdOfBlob } = this.rows;
    if (uploads.get(file.uploadId)?.state === "complete" && !fileIdOfUpload.has(file.uploadId)) {
      if (files.has(file.id)) return Promise.reject(new Error(`file ${file.id} is there already`));
      files.set(file.id, file);
      fileIdOfUpload.set(file.uploadId, file.id);
      fileIdOfBlob.set(file.blobId, file.id);
    }
    return this.findFileOfUpload(file.uploadId);
  }

  findFile(id: string): Promise<PublishedFile | undefined> {
    return Promise.resolve(this.rows.files.get(id));
  }

  findFileOfUpload(uploadId: string): Promise<PublishedFile | undefined> {
    return this.findFile(this.rows.fileIdOfUpload.get(uploadId) ?? "");
  }

  listFiles(query: PageQuery): Promise<PublishedFile[]> {
    return Promise.resolve(page(this.rows.files.values(), query).slice(0, query.limit));
  }

  setUploadSha256(id: string, sha256: string): Promise<void> {
    const upload = this.rows.uploads.get(id);
    if (upload?.state === "complete" && upload.sha256 === undefined) {
      this.rows.uploads.set(id, { ...upload, sha256 });
    }
    return Promise.resolve();
  }

  setFileSha256(id: string, sha256: string): Promise<void> {
    const file = this.rows.files.get(id);
    if (file !== undefined) this.rows.files.set(id, { ...file, sha256 });
    return Promise.resolve();
  }

  listUndigested(limit: number): Promise<PublishedFile[]> {
    const { apps, files } = this.rows;
    const due = [...files.values()].filter(
      ({ sha256, appId }) => sha256 === undefined && apps.get(appId)?.digestPolicy === "on_publish",
    );
    return Promise.resolve(due.slice(0, limit));
  }

  removeFile(id: string, at: number): Promise<boolean> {
    const file = this.rows.files.get(id);
    if (file === undefined) return Promise.resolve(false);
    this.rows.files.delete(id);
    this.rows.fileIdOfUpload.delete(file.uploadId);
    this.rows.fileIdOfBlob.delete(file.blobId);
    const upload = this.rows.uploads.get(file.uploadId);
    if (upload !== undefined) {
      const ended = { state: "expired", reason: fileDeleted, updatedAt: at } as const;
      this.rows.uploads.set(upload.id, { ...upload, ...ended });
    }
    this.rows.doomBlob(file.blobId, at);
    return Promise.resolve(true);
  }

  listBlobs(after: string, limit: number): Promise<BlobOwner[]> {
    const ids = this.rows.blobIds().filter((id) => id > after);
    return Promise.resolve(
      ids.slice(0, limit).map((blobId) => ({
        blobId,
        upload: this.rows.uploads.get(this.rows.uploadIdOfBlob.get(blobId) ?? ""),
        file: this.rows.files.get(this.rows.fileIdOfBlob.get(blobId) ?? ""),
      })),
    );
  }

  insertApp(app: App): Promise<boolean> {
    const isNew = !this.rows.apps.has(app.id);
    if (isNew) this.rows.apps.set(app.id, app);
    return Promise.resolve(isNew);
  }

  updateApp(id: string, update: AppUpdate): Promise<boolean> {
    const before = this.rows.apps.get(id);
    if (before !== undefined) this.rows.apps.set(id, updatedApp(before, update));
    return Promise.resolve(before !== undefined);
  }

  findApp(id: string): Promise<App | undefined> {
    return Promise.resolve(this.rows.apps.get(id));
  }

  listApps(): Promise<App[]> {
    const apps = [...this.rows.apps.values()];
    return Promise.resolve(apps.sort((one, other) => (one.id < other.id ? -1 : 1)));
  }

  insertToken(token: Token): Promise<void> {
    const key = hex(token.hash);
    if (this.rows.tokens.has(key)) return Promise.reject(new Error("the token is there already"));
    this.rows.tokens.set(key, token);
    return Promise.resolve();
  }

  findToken(hash: Uint8Array): Promise<Token | undefined> {
    return Promise.resolve(this.rows.tokens.get(hex(hash)));
  }

  listTokens(appId: string | undefined): Promise<Token[]> {
    const tokens = [...this.rows.tokens.values()];
    return Promise.resolve(
      tokens
        .filter((token) => appId === undefined || token.appId === appId)
        .sort((one, other) => one.createdAt - other.createdAt),
    );
  }

  revokeToken(id: string, at: number): Promise<boolean> {
    for (const [key, token] of this.rows.tokens) {
      if (token.id !== id || token.revokedAt !== undefined) continue;
      this.rows.tokens.set(key, { ...token, revokedAt: at });
      return Promise.resolve(true);
    }
    return Promise.resolve(false);
  }

  readMark(name: string): Promise<string | undefined> {
    return Promise.resolve(this.rows.marks.get(name));
  }

  writeMark(name: string, value: string): Promise<void> {
    this.rows.marks.set(name, value);
    return Promise.resolve();
  }

  raiseMark(name: string, count: number): Promise<void> {
    const standing = Number(this.rows.marks.get(name) ?? count);
    return this.writeMark(name, String(Math.max(standing, count)));
  }

  claimMark(name: string, value: string): Promise<string> {
    const standing = this.rows.marks.get(name) ?? value;
    this.rows.marks.set(name, standing);
    return Promise.resolve(standing);
  }

  /** The upload while it is open and this fence is the current one. */
  #held(id: string, fence: string, states: readonly UploadState[] = ["open"]): Upload | undefined {
    const upload = this.rows.uploads.get(id);
    if (upload === undefined || this.#fences.get(id) !== fence) return undefined;
    return states.includes(upload.state) ? upload : undefined;
  }

  /** Open uploads changed at or after `since`. */
  #open(since: number): Upload[] {
    return [...this.rows.uploads.values()].filter(
      ({ state, updatedAt }) => state === "open" && updatedAt >= since,
    );
  }

  #expiring(now: number, limit: number): Upload[] {
    return (
      [...this.rows.uploads.values()]
        // A completion that a crash left undone is completed, never expired.
        .filter(
          ({ state, completes, offset, length, expiresAt }) =>
            expiresAt <= now &&
            (state === "complete" ||
              (state === "open" && !(completes === "at_length" && offset === length))),
        )
        .sort((one, other) => one.expiresAt - other.expiresAt)
        .slice(0, limit)
    );
  }
}

function bytesDue(uploads: readonly Upload[]): number {
  return uploads.reduce(
    (sum, { length, offset }) => sum + (length === undefined ? 0 : length - offset),
    0,
  );
}

type Change = Pick<Upload, "id" | "updatedAt">;

type Dated = Place & Pick<Upload, "appId">;

/** An app's rows, newest first, from after the given one on. */
function page<Row extends Dated>(
  rows: Iterable<Row>,
  { appId, after }: Omit<PageQuery, "limit">,
): Row[] {
  return [...rows]
    .filter((row) => row.appId === appId && (after === undefined || isOlder(row, after)))
    .sort((one, other) => (isOlder(one, other) ? 1 : -1));
}

function isOlder(row: Place, than: Place): boolean {
  if (row.createdAt !== than.createdAt) return row.createdAt < than.createdAt;
  return row.id < than.id;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
