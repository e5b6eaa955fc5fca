/**
 * The bytes to upload. Read any number of times, in any range, until closed; never held in memory
 * as a whole unless the caller brought it so.
 */
export interface Source {
  /** A name for the server, when the source has one. */
  readonly name: string | undefined;
  /** Bytes, fixed when the source was opened. */
  readonly length: number;
  /** Media type guessed from name and first bytes. */
  readonly type: string | undefined;
  /** Media type the first bytes show, when they show one. */
  readonly contentType: string | undefined;
  /** What this source is called on this machine; the same in a later process. */
  readonly identity: string;
  /**
   * Changes when the content does, as far as that can be seen without reading it all: length, time
   * of change, CRC-32 of the first and last MiB.
   */
  readonly fingerprint: string;
  /**
   * Yields the bytes from `start` up to but not including `end`. A chunk is valid until the next
   * is asked for. Throws `source-changed` when the source changed since it was opened (looked at
   * again before the last chunk is handed out), `source-unreadable` when it cannot be read.
   */
  open(start: number, end: number): AsyncIterable<Uint8Array>;
  /** The same range as a `Blob` that is not read yet, where the source is one. */
  readonly blob?: ((start: number, end: number) => Blob) | undefined;
  /** Lets go of what was opened here. */
  close(): Promise<void>;
}
