/**
 * How a body ended: `clean` means that the request ended as it announced and nothing is missing;
 * every other ending leaves a prefix that counts and an upload that is not completed by it.
 */
export type BodyEnding = "clean" | "cut" | "silent" | "slow" | "stopped";

/**
 * The bytes of one append, pulled in batches. Bytes are gathered while a batch is being written,
 * and reading stops when enough of them wait; `next` is called by one consumer, one call at a time.
 */
export interface Body {
  /** What the sender announced, in bytes; undefined when it did not say. */
  readonly announcedLength: number | undefined;
  /** Whether nothing more comes in; what was gathered before may still have to be asked for. */
  readonly isOver: boolean;
  /**
   * The next bytes in order, or how the body ended. The first call lets the sender begin. The
   * chunks are the caller's until its next call; then their memory is used again.
   */
  next(): Promise<BodyBatch>;
  /** Reads no further. Bytes already gathered are still given, then the ending is `stopped`. */
  stop(): void;
}

export type BodyBatch =
  | {
      readonly kind: "bytes";
      readonly chunks: readonly Uint8Array[];
      readonly length: number;
      /** How long the first of them has been here. */
      readonly waitedMs: number;
    }
  | { readonly kind: "end"; readonly ending: BodyEnding };
