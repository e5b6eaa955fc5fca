import { UploadError } from "./errors.ts";

/**
 * What a server may say of its offset: never less than before, never more than it was sent. One
 * that breaks this has other bytes than the file's, and following it would hide that.
 */
export class OffsetRules {
  readonly #length: number;
  /** What the server is known to have. */
  confirmed = 0;
  /** How far the source has been read for sending: the server cannot have more from us. */
  handedOut = 0;

  /** @param length bytes of the file */
  constructor(length: number) {
    this.#length = length;
  }

  /** The source was read up to there. */
  handOut(end: number): void {
    this.handedOut = Math.max(this.handedOut, end);
  }

  /** Throws `offset-contradiction` for an offset that cannot be true. */
  check(offset: number): void {
    if (offset < this.confirmed) {
      throw contradiction(`had ${this.confirmed} bytes and now says ${offset}`);
    }
    if (offset > this.#length) {
      throw contradiction(`says it has ${offset} of ${this.#length} bytes`);
    }
    if (offset > this.handedOut) {
      throw contradiction(`says it has ${offset} bytes but got ${this.handedOut}`);
    }
  }

  /** The server has so much; true when that is news. */
  confirm(offset: number): boolean {
    if (offset === this.confirmed) return false;
    this.confirmed = offset;
    return true;
  }
}

export function contradiction(what: string): UploadError {
  return new UploadError("offset-contradiction", `the server ${what}`, {
    hint: "Does something else write to it? Start anew if in doubt.",
  });
}
