/** A run of a blob's bytes at one key, as the store describes what it made durable. */
export interface StoredExtent {
  readonly key: string;
  /** Where the run begins within the blob, in bytes. */
  readonly start: number;
  readonly length: number;
  /** CRC-32 of the run alone. */
  readonly crc32: number;
  /** The bytes themselves, where the catalog keeps them; the key is empty then. */
  readonly inline: Uint8Array | undefined;
}

/**
 * The store has nothing at the key. Where extents can be replaced this need not be damage: whoever
 * reads looks the list of extents up again and goes on at the same position.
 */
export class BytesMissingError extends Error {
  override readonly name = "BytesMissingError";
  readonly key: string;

  constructor(key: string, options?: ErrorOptions) {
    super(`there are no bytes at ${key}`, options);
    this.key = key;
  }
}

/** The store did not say of these keys that they are removed; the others are. */
export class KeysLeftError extends Error {
  override readonly name = "KeysLeftError";
  readonly keys: readonly string[];

  constructor(keys: readonly string[], why: string) {
    super(`${keys.length} keys were not removed: ${why}`);
    this.keys = keys;
  }
}

/** The extents can never be made one in this store: another try would end in the same way. */
export class TooManyExtentsError extends Error {
  override readonly name = "TooManyExtentsError";
}

/** Who makes keys of a blob, and since when. The fence is unique among all epochs. */
export interface BlobEpoch {
  readonly fence: string;
  readonly blobId: string;
  /** The committed offset when the epoch was opened. */
  readonly base: number;
  readonly openedAt: number;
}

/** A key of a blob as its name alone tells of it, whether or not any row does. */
export interface BlobKey extends Omit<StoredExtent, "inline">, Omit<BlobEpoch, "blobId"> {
  /** Put before its bytes were known to be those that were meant; some of these are refused. */
  readonly isUnproven: boolean;
}

/**
 * The bytes. A blob is an ordered list of extents, and the catalog holds that list: the store
 * never decides what counts. Keys are the store's own random names; no client byte is in them.
 */
export interface BlobStore {
  readonly properties: BlobStoreProperties;
  /**
   * Opens a blob for appending at the end of `extents`. The caller is its only appender, and the
   * appender before it has been closed. Fails with `upload_damaged` when bytes are missing.
   */
  openAppender(request: AppenderRequest): Promise<Appender>;
  /**
   * Bytes [from, to) of one extent, in order. Ends early, by an error, when they are not there:
   * a BytesMissingError where a blob's bytes may be found under another key.
   */
  read(extent: StoredExtent, range: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Whether at least the extent's bytes are stored. Looks at lengths, not at content. */
  isWhole(extent: StoredExtent): Promise<boolean>;
  /** Keys that were made under an epoch, as far as the store can tell; none where it has none. */
  listKeys(epoch: BlobEpoch): AsyncIterable<string>;
  /** All keys of a blob, in no order; none where their names do not tell enough. */
  listBlobKeys(blobId: string): AsyncIterable<BlobKey>;
  /** Ends what was begun under a closed epoch and never finished, such as multipart uploads. */
  abandon(epoch: BlobEpoch): Promise<void>;
  /**
   * Makes several extents one; undefined where an upload is one extent anyway. A
   * TooManyExtentsError, before anything is stored, where there are more than the store puts together.
   */
  readonly assemble: ((request: AssembleRequest) => Promise<StoredExtent>) | undefined;
  /** A URL that gives the extent's bytes to whoever has it; undefined where there is none. */
  readonly signUrl: ((request: SignUrlRequest) => Promise<string>) | undefined;
  /**
   * Removes bytes for good. A key that is not there counts as removed. A KeysLeftError where the
   * store keeps some of them; after any other error nothing is known.
   */
  remove(keys: readonly string[]): Promise<void>;
  /** Keys that hold bytes and were not made by this process since it opened the store. */
  listOlderKeys(): AsyncIterable<string>;
  /** Sets a key's bytes aside, out of the store, for a person to look at. False when it is gone. */
  quarantine(key: string): Promise<boolean>;
  /** How much the store still takes; undefined where it has no end that it knows of. */
  room(): Promise<StoreRoom | undefined>;
  close(): Promise<void>;
}

/** In bytes. */
export interface StoreRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface BlobStoreProperties {
  /** An extent that was checkpointed may grow in a later checkpoint, under the same key. */
  readonly growsInPlace: boolean;
  /**
   * Keys are made under an epoch, which the catalog must know before an appender is opened; other
   * processes may use the store at the same time.
   */
  readonly needsEpochs: boolean;
  /** How long written bytes may wait at least before a checkpoint of everything is worth it. */
  readonly checkpointMsMin: number;
}

/** All extents of a blob, in order; the epoch is the assembly's own. */
export interface AssembleRequest {
  readonly epoch: BlobEpoch;
  readonly extents: readonly StoredExtent[];
  readonly signal?: AbortSignal;
}

export interface SignUrlRequest {
  readonly extent: StoredExtent;
  /** How the answer describes itself. */
  readonly contentType: string;
  readonly contentDisposition: string;
  readonly lifetimeSeconds: number;
}

export interface AppenderRequest {
  readonly epoch: BlobEpoch;
  readonly extents: readonly StoredExtent[];
  /** The committed offset: where the next byte goes. */
  readonly offset: number;
  /** Asked at every put where keys tell; where it is left out nothing is to be proven. */
  readonly isUnproven?: (() => boolean) | undefined;
}

export interface ByteRange {
  /** First byte, counted within the extent. */
  readonly from: number;
  /** One past the last byte. */
  readonly to: number;
}

/**
 * Writes one blob's next bytes. `write` and `close` are called one at a time; a checkpoint may run
 * beside a write, one checkpoint at a time. After any error of a checkpoint the appender is dead
 * and its file is never synced or continued again.
 */
export interface Appender {
  /** The place in the blob of the next byte to be written. Counts what was written, durable or not. */
  readonly position: number;
  /**
   * Writes all chunks in order. Fails with `no_room` when the volume is full; `position` then tells
   * how much was written, and that much can still be checkpointed.
   */
  write(chunks: readonly Uint8Array[]): Promise<void>;
  /**
   * Makes durable everything written before the call, or of that what fills whole parts where the
   * store keeps parts, and says what that is. When a part failed, what is durable before it is
   * still reported once; the failure is what the next call meets.
   */
  checkpoint(what: CheckpointScope): Promise<Checkpoint>;
  /**
   * Waits for what is in flight and lets go. Makes nothing durable. What no checkpoint told of may
   * be given back: nobody can commit it. Never fails.
   */
  close(): Promise<void>;
}

export type CheckpointScope = "everything" | "whole_parts";

export interface Checkpoint {
  /** Bytes of the blob that are durable now. */
  readonly to: number;
  /** The extents that this appender added or made longer; none when nothing was written. */
  readonly extents: readonly StoredExtent[];
  /** Extents, committed before, whose bytes one of `extents` holds, too. */
  readonly replaced: readonly StoredExtent[];
  /** How long the sync took. */
  readonly syncMs: number;
}
