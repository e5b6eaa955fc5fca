import type { Clock } from "./clock.ts";

/** Smaller parts cost more in round trips than any limit met so far would save. */
const partBytesMin = 256 * 1024;
/** One cut is chance; so many at the same place are somebody's limit. */
const cutsAlike = 3;
/** Limits are changed, and what looked like one may have been a bad line. */
const rememberMs = 60 * 60_000;

interface Found {
  readonly bytes: number;
  readonly untilMs: number;
}

/** What was found to get through, by origin. It lives as long as the process. */
const foundByOrigin = new Map<string, Found>();

/** A part of which the answer never came. */
export interface CutPart {
  readonly length: number;
  /** Bytes of it that the network took. */
  readonly sent: number;
  /** Bytes of it that the server was found to have. */
  readonly brought: number;
}

export interface PartSizeParts {
  /** Bytes of one request at most, as the caller wants it; all of the rest unless given. */
  readonly wanted: number | undefined;
  /** Of the server. */
  readonly url: string;
  readonly clock: Clock;
}

/**
 * How many bytes one request may carry: as many as there are, until something on the way proves to
 * take less. Then half, down to 256 KiB, for this upload and for an hour for others of its origin.
 */
export class PartSize {
  readonly #origin: string;
  readonly #clock: Clock;
  /** At most. */
  bytes: number;
  #cuts = 0;
  #brought: number | undefined;

  constructor({ wanted = Infinity, url, clock }: PartSizeParts) {
    this.#origin = new URL(url).origin;
    this.#clock = clock;
    const found = foundByOrigin.get(this.#origin);
    const isFresh = found !== undefined && clock.now() < found.untilMs;
    this.bytes = isFresh ? Math.min(wanted, found.bytes) : wanted;
  }

  /** A part got through. */
  arrived(): void {
    this.#cuts = 0;
  }

  /** A part was cut. True when parts are smaller from now on. */
  cut({ length, sent, brought }: CutPart): boolean {
    // Where nothing went, as to a port where nobody listens, no size was tried.
    if (sent === 0) return false;
    this.#cuts = brought === this.#brought ? this.#cuts + 1 : 1;
    this.#brought = brought;
    if (this.#cuts < cutsAlike) return false;
    // What took parts as a whole and then nothing of them has its limit below what was sent.
    return this.shrink(Math.min(length, brought === 0 ? sent : brought));
  }

  /** A part of that length is too large for somebody (413). False when it cannot be smaller. */
  shrink(length: number): boolean {
    const bytes = Math.max(partBytesMin, Math.floor(length / 2));
    if (bytes >= Math.min(length, this.bytes)) return false;
    this.bytes = bytes;
    this.#cuts = 0;
    foundByOrigin.set(this.#origin, { bytes, untilMs: this.#clock.now() + rememberMs });
    return true;
  }
}
