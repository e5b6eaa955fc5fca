/** What the catalog keeps. Times are epoch milliseconds, lengths and offsets bytes. */

export type UploadState = "open" | "complete" | "rejected" | "cancelled" | "expired" | "damaged";

export const noUploads: Readonly<Record<UploadState, number>> = Object.freeze({
  open: 0,
  complete: 0,
  rejected: 0,
  cancelled: 0,
  expired: 0,
  damaged: 0,
});

/** Why an upload expired before its time. */
export const fileDeleted = "its file was deleted";

/** What a content check does when the bytes are not of the declared type. */
export type ContentPolicy = "off" | "warn" | "reject";

/** What completes an upload: reaching its length, or only being told that it is complete. */
export type CompletionRule = "at_length" | "when_told";

/** When a file's SHA-256 is computed: once somebody asks for it, or soon after it was published. */
export type DigestPolicy = "on_request" | "on_publish";

/** What every answer after completion is made from, so that a replay is identical. */
export interface Completion {
  readonly completedAt: number;
  readonly handleExpiresAt: number;
  /** 13 random bytes in hex: makes the handle unguessable and unique. */
  readonly nonce: string;
}

export interface Upload {
  /** A version 4 UUID, the upload's name in every protocol. */
  readonly id: string;
  readonly appId: string;
  /** The numeric user of the token that started it. */
  readonly userId: string;
  readonly state: UploadState;
  readonly name: string;
  /** The declared media type. */
  readonly type: string;
  /** In bytes; undefined until somebody says it. Once known it never changes. */
  readonly length: number | undefined;
  /** The most that its length may be, in bytes. */
  readonly lengthMax: number;
  /** Durable bytes. Never goes down. */
  readonly offset: number;
  /** CRC-32 of the bytes up to the offset. */
  readonly crc32: number;
  readonly blobId: string;
  /** The protocol that created it. */
  readonly protocol: string;
  /** What the creating protocol needs to name the upload again; opaque to everybody else. */
  readonly creation: string;
  readonly completes: CompletionRule;
  /** Ids of the uploads whose bytes it is made of, in order; no bytes can be appended to it. */
  readonly concatenates: readonly string[] | undefined;
  /** What the whole must be, or, once complete, is: its SHA-256 in hex, where that is known. */
  readonly sha256: string | undefined;
  readonly contentPolicy: ContentPolicy;
  /** How long it stays open after its last durable byte. */
  readonly lifetimeMs: number;
  readonly handleLifetimeMs: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number;
  readonly completion: Completion | undefined;
  /** Why it was rejected or found damaged. */
  readonly reason: string | undefined;
}

/** A run of a blob's bytes at one key. */
export interface Extent {
  /** Names the bytes in the blob store; empty when `inline` holds them. */
  readonly key: string;
  /** Where the run begins within the blob. */
  readonly start: number;
  readonly length: number;
  /** CRC-32 of the run alone. */
  readonly crc32: number;
  readonly inline: Uint8Array | undefined;
}

/**
 * A time in which keys of a blob may be made by one writer and nobody else. Keys under a closed
 * epoch which no row names are orphans for good: no commit can name them any more.
 */
export interface Epoch {
  /** The lease's fence, or an assembly's nonce. */
  readonly fence: string;
  readonly blobId: string;
  /** The upload whose fence ends the epoch; undefined for an assembly's, which its nonce ends. */
  readonly uploadId: string | undefined;
  /** The committed offset when it was opened. */
  readonly base: number;
  readonly openedAt: number;
  /** How often its keys were looked at since it was closed. */
  readonly looks: number;
}

/** Extents that are to be made one. */
export interface Assembly {
  readonly blobId: string;
  readonly nonce: string;
  readonly tries: number;
}

/** A published blob. */
export interface PublishedFile {
  /** Decimal digits. */
  readonly id: string;
  readonly appId: string;
  readonly uploadId: string;
  readonly blobId: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly type: string;
  readonly size: number;
  readonly crc32: number;
  /** Hex; undefined until it was computed, see DigestPolicy. */
  readonly sha256: string | undefined;
  readonly createdAt: number;
}

export interface App {
  /** 1 to 20 decimal digits. */
  readonly id: string;
  readonly name: string;
  /** Encrypted under the deployment's key. */
  readonly sealedSecret: Uint8Array;
  /** Media types an upload may declare. */
  readonly types: readonly string[];
  readonly lengthMax: number;
  readonly lifetimeMs: number;
  readonly contentPolicy: ContentPolicy;
  readonly digestPolicy: DigestPolicy;
  /** What all its open uploads together may still bring; undefined is no cap but the volume's. */
  readonly roomBytesMax: number | undefined;
  readonly createdAt: number;
}

export interface Token {
  readonly id: string;
  /** SHA-256 of the token; the token itself is never kept. */
  readonly hash: Uint8Array;
  readonly appId: string;
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly label: string;
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  readonly revokedAt: number | undefined;
}
