import { UploadError } from "../base/errors.ts";
import type {
  App,
  Assembly,
  Completion,
  ContentPolicy,
  DigestPolicy,
  Epoch,
  Extent,
  PublishedFile,
  Token,
  Upload,
  UploadState,
} from "./records.ts";

/**
 * Who, and how far. Every verb is one atomic change or one bounded read; none waits for bytes.
 *
 * Durability: a write's promise resolves only when the change would survive a power cut. Reads
 * show committed changes only. A write that fails with CatalogFullError changed nothing. When the
 * outcome of a commit is unknown the implementation finds out, or ends its process rather than
 * guess; one that can be away fails with `storage_failed` when it cannot find out in time.
 * Ordering: writes of one caller take effect in the order they were called.
 */
export interface Catalog {
  /**
   * Adds an open upload with no bytes, whether or not its length is known: one that is not known
   * counts as nothing here. The id must be new. With `within`, only if what its app's
   * open uploads may still bring stays within it, this one's bytes included: summed and added in
   * one step, so that no two inserts at once exceed it together. False when it was not added.
   */
  insertUpload(upload: Upload, within?: PromisedRoom): Promise<boolean>;
  findUpload(id: string): Promise<Upload | undefined>;
  /** An app's uploads, newest first, starting after the given one. */
  listUploads(query: UploadQuery): Promise<Upload[]>;
  /** Open uploads of all apps or one, the most recently changed first; ids break ties. */
  listOpen(query: OpenQuery): Promise<Upload[]>;
  /** How many uploads there are in each state; it looks at every one of them. */
  countUploads(): Promise<Record<UploadState, number>>;
  /** Those of these uploads whose lease another process holds that gives signs of life. */
  heldElsewhere(ids: readonly string[]): Promise<Set<string>>;
  listExtents(blobId: string): Promise<Extent[]>;

  /**
   * Makes `fence` the only nonce under which this upload may be changed, whoever held it before,
   * and returns the upload as it then stands; undefined when there is none. Commits of earlier
   * holders either happened before and show in the result, or never happen.
   *
   * A holder in another live process is asked to let go first and waited for; `upload_busy` when
   * it does not in `limits.yieldMsMax`. One whose process gives no sign of life is not waited for.
   */
  takeLease(id: string, fence: string): Promise<Upload | undefined>;
  /**
   * Calls back with the id of an upload whose lease was taken here and which another process wants
   * or has taken. May call more than once, and late: what counts is the fence at the next commit.
   */
  onLeaseWanted(listener: (id: string) => void): void;
  /** Forgets the fence if it is still this one. Idempotent. */
  releaseLease(id: string, fence: string): Promise<void>;
  /**
   * Moves the offset if the upload is open, `fence` is current and the offset is still `from`.
   * `length` becomes its length where that was not known, and changes nothing where it was; so
   * does `sha256`.
   * With `ending` the same change also ends the upload. Extents are added, or grown in place when
   * one with the same start exists; those in `replaced` are forgotten and their keys doomed.
   */
  advance(advance: Advance): Promise<CommitOutcome>;
  /**
   * Ends an upload under a fence without moving its offset: an open one, or one in a state that
   * \`from\` names. Dooms its blob, unless a file shows it.
   */
  end(ending: EndUpload): Promise<CommitOutcome>;
  /**
   * Ends as `expired` those uploads, open or complete, whose time was up at `now` and which nobody
   * is writing, and dooms blobs that no file shares. Returns the ids: `limit` of them if as many
   * can be expired, however many are being written.
   */
  expireUploads(now: number, limit: number): Promise<string[]>;
  /** Uploads that would be expired at `now`, for a dry run. */
  listExpiring(now: number, limit: number): Promise<Upload[]>;
  /** Forgets ended uploads last changed before `before`. Returns how many. */
  removeEndedUploads(before: number): Promise<number>;
  /** Open uploads changed at or after `since`: what a crash may have touched. */
  listOpenSince(since: number): Promise<Upload[]>;
  /** What open uploads changed at or after `since` may still bring: the sum of what they lack. */
  bytesStillDue(since: number): Promise<number>;
  /** Open uploads that complete at their length and have reached it: what a crash left undone. */
  listUncompleted(limit: number): Promise<Upload[]>;

  /**
   * Adds a file for a complete upload, or returns the one that this upload already has; undefined
   * when the upload is not complete any more.
   */
  insertFile(file: PublishedFile): Promise<PublishedFile | undefined>;
  findFile(id: string): Promise<PublishedFile | undefined>;
  findFileOfUpload(uploadId: string): Promise<PublishedFile | undefined>;
  listFiles(query: PageQuery): Promise<PublishedFile[]>;
  setFileSha256(id: string, sha256: string): Promise<void>;
  /** Keeps the SHA-256 of a complete upload of which none is known; else changes nothing. */
  setUploadSha256(id: string, sha256: string): Promise<void>;
  /** Files without a SHA-256 whose app wants it computed without being asked, in any order. */
  listUndigested(limit: number): Promise<PublishedFile[]>;
  /** Removes the file, ends its upload and dooms its blob. False when there was none. */
  removeFile(id: string, at: number): Promise<boolean>;

  /**
   * Keys doomed at or before `before` that no extent names any more, the only keys whose bytes may
   * be removed: blobs can share a key, and the last of them decides, also from when on it counts.
   */
  listDoomed(before: number, limit: number): Promise<string[]>;
  forgetDoomed(keys: readonly string[]): Promise<void>;
  /** Those of the keys that are doomed count as doomed at `at` from now on. */
  putOffDoomed(keys: readonly string[], at: number): Promise<void>;
  /** Those of the keys that an extent or a doomed row names. */
  knownKeys(keys: readonly string[]): Promise<Set<string>>;
  /** Every blob with extents, for verification, after the given one in order of id. */
  listBlobs(after: string, limit: number): Promise<BlobOwner[]>;

  /**
   * Says that keys may come to be made under this epoch, before the first of them is. Idempotent.
   */
  openEpoch(epoch: Epoch): Promise<void>;
  /** Nothing will be committed under this epoch any more. Idempotent. */
  closeEpoch(fence: string, at: number): Promise<void>;
  /**
   * Closes the epochs of leases and of assemblies' claims that are over, then lists epochs closed at or before `look.closedBefore`
   * which are due for a look at `look.now`: what lies under them and no row names may be removed.
   */
  listEpochsDue(look: EpochLook): Promise<Epoch[]>;
  /** Notes a look: the next is due at `nextAt`, or the epoch is forgotten when that is undefined. */
  noteEpochLook(fence: string, nextAt: number | undefined): Promise<void>;
  /** The look that is due is due at `dueAt` instead. Counts as no look. */
  putOffEpochLook(fence: string, dueAt: number): Promise<void>;
  /** Epochs of a blob, in the order in which they were opened. */
  listEpochs(blobId: string): Promise<Epoch[]>;

  /** Asks for a blob's extents to be made one. Idempotent while that is not done. */
  requestAssembly(blobId: string, at: number): Promise<void>;
  /**
   * Gives one assembly that is due at `claim.now` to this caller, under its nonce, until
   * `claim.until`, and counts the try; undefined when none is due. A blob that is named is the one
   * that is given, also before it is due and from whoever has it; undefined when it is not asked for.
   */
  claimAssembly(claim: AssemblyClaim): Promise<Assembly | undefined>;
  /**
   * Puts `assembled` in the place of all `extents` and dooms their keys, if the claim's nonce is
   * current and the blob consists of exactly these extents. Ends the assembly.
   */
  finishAssembly(finish: AssemblyFinish): Promise<CommitOutcome>;
  /** Gives a claim back, to be tried again at `dueAt`, or never when undefined. */
  putOffAssembly(blobId: string, nonce: string, dueAt: number | undefined): Promise<void>;

  insertApp(app: App): Promise<boolean>;
  /** Of changes at once that name different facts, each stays. False when there is no such app. */
  updateApp(id: string, update: AppUpdate): Promise<boolean>;
  findApp(id: string): Promise<App | undefined>;
  listApps(): Promise<App[]>;
  insertToken(token: Token): Promise<void>;
  findToken(hash: Uint8Array): Promise<Token | undefined>;
  listTokens(appId: string | undefined): Promise<Token[]>;
  /** False when there is no such token that is not revoked yet. */
  revokeToken(id: string, at: number): Promise<boolean>;

  readMark(name: string): Promise<string | undefined>;
  writeMark(name: string, value: string): Promise<void>;
  /** Writes a whole number unless the mark stands at as much: whoever writes, it only goes up. */
  raiseMark(name: string, count: number): Promise<void>;
  /** Writes the mark unless it is there, and returns what stands: the first of several wins. */
  claimMark(name: string, value: string): Promise<string>;

  close(): Promise<void>;
}

/** What is to be another in an app: all that is left out, or undefined, stays as it is. */
export interface AppUpdate {
  readonly name?: string | undefined;
  readonly sealedSecret?: Uint8Array | undefined;
  readonly types?: readonly string[] | undefined;
  readonly lengthMax?: number | undefined;
  readonly lifetimeMs?: number | undefined;
  readonly contentPolicy?: ContentPolicy | undefined;
  readonly digestPolicy?: DigestPolicy | undefined;
  /** Null takes the cap away. */
  readonly roomBytesMax?: number | null | undefined;
}

export interface PromisedRoom {
  readonly bytesMax: number;
  /** An open upload not changed since then has no room kept for it and does not count. */
  readonly since: number;
}

/** Where an item stands in a list that is newest first. */
export type Place = Pick<Upload | PublishedFile, "id" | "createdAt">;

export interface PageQuery {
  readonly appId: string;
  /** The last item of the page before, whether or not it is still there. */
  readonly after: Place | undefined;
  readonly limit: number;
}

export interface UploadQuery extends PageQuery {
  readonly state: UploadState | undefined;
}

export interface OpenQuery {
  readonly appId: string | undefined;
  /** What the last upload of the page before was when that was read. */
  readonly after: Pick<Upload, "id" | "updatedAt"> | undefined;
  readonly limit: number;
}

export interface Advance {
  readonly id: string;
  readonly blobId: string;
  readonly fence: string;
  readonly from: number;
  readonly to: number;
  readonly crc32: number;
  /** The whole length, for an upload whose length was not known; undefined says nothing. */
  readonly length?: number | undefined;
  /** The SHA-256 of the whole in hex, where none was known; undefined says nothing. */
  readonly sha256?: string | undefined;
  readonly extents: readonly Extent[];
  /** Extents whose bytes one of `extents` holds, too. */
  readonly replaced: readonly Extent[];
  readonly at: number;
  readonly expiresAt: number;
  readonly ending: AdvanceEnding | undefined;
}

export type AdvanceEnding =
  | { readonly state: "complete"; readonly completion: Completion }
  | { readonly state: "rejected"; readonly reason: string };

export interface EndUpload {
  readonly id: string;
  readonly blobId: string;
  readonly fence: string;
  readonly state: "cancelled" | "damaged" | "expired" | "rejected";
  /** What it may be until then; open alone when left out. */
  readonly from?: readonly ("open" | "complete")[];
  readonly reason: string | undefined;
  readonly at: number;
}

/** `stale`: the fence, the offset or the state was no longer the caller's; nothing changed. */
export type CommitOutcome = "done" | "stale";

export interface EpochLook {
  readonly now: number;
  readonly closedBefore: number;
  readonly limit: number;
}

export interface AssemblyClaim {
  /** The only one wanted; any that is due when left out. */
  readonly blobId?: string;
  readonly now: number;
  readonly until: number;
  readonly nonce: string;
}

export interface AssemblyFinish {
  readonly blobId: string;
  readonly nonce: string;
  readonly extents: readonly Extent[];
  readonly assembled: Extent;
  readonly at: number;
}

export interface BlobOwner {
  readonly blobId: string;
  readonly upload: Upload | undefined;
  readonly file: PublishedFile | undefined;
}

/**
 * The catalog's volume has no room for this change; nothing changed. Every verb may meet it, so it
 * is the engine's `no_room` already: nobody has to translate it who knows no offset to add.
 */
export class CatalogFullError extends UploadError {
  constructor() {
    super({ code: "no_room", facts: { offset: undefined } });
  }
}
