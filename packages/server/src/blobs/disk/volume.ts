import type { StoreRoom } from "../blob-store.ts";

/**
 * The few things the disk store asks of a file system, so that a simulated disk that forgets what
 * was not synced can stand in for it. Keys look like `3f/3f9a…`: a directory and a file.
 * Errors are Node's, with `code`.
 */
export interface Volume {
  /** Creates the file; fails when the name exists or is a link. Not durable until both syncs. */
  create(key: string): Promise<VolumeFile>;
  open(key: string, mode: "read" | "write"): Promise<VolumeFile>;
  /** Makes the names in the key's directory durable. */
  syncDirectory(key: string): Promise<void>;
  /** Removes the name; one that is missing counts as removed. */
  remove(key: string): Promise<void>;
  list(): AsyncIterable<string>;
  /** Moves the file out of the way; false when it is not there. */
  quarantine(key: string): Promise<boolean>;
  room(): Promise<StoreRoom>;
}

export interface VolumeFile {
  length(): Promise<number>;
  /** May write less than it was given; returns how many bytes it wrote. */
  write(chunks: readonly Uint8Array[], position: number): Promise<number>;
  /** Makes everything written before the call durable, the length included. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  /** Returns how many bytes were read; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}
