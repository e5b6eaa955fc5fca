import type { Clock } from "./clock.ts";
import { Pace, secondsFor } from "./pace.ts";
import type { UploadSnapshot, UploadState } from "./state.ts";
import { isOver } from "./state.ts";
import type { UploadTask } from "./task.ts";

/** A queue at one moment. */
export interface QueueSnapshot {
  /** Tasks that were ever added. */
  readonly count: number;
  /** How many of them are in each state. */
  readonly counts: Readonly<Record<UploadState["kind"], number>>;
  /** Bytes of all of them together, as in an upload's progress. */
  readonly sent: number;
  readonly confirmed: number;
  /**
   * Bytes of those whose length is known: bytes and blobs, and files once they are open. A task that
   * ended early counts with what it sent.
   */
  readonly length: number;
  /** Tasks that are not over and whose length is not known yet. */
  readonly lengthsUnknown: number;
  /** Bytes a second over the last five seconds; 0 while it is not known. */
  readonly rate: number;
  /** Until all is sent; undefined while nothing goes, or while a length is not known. */
  readonly secondsLeft: number | undefined;
}

/** What one task adds to the totals. */
interface Share {
  readonly kind: UploadState["kind"];
  /** Its source was opened, and it has told where it begins. */
  readonly isOpen: boolean;
  readonly sent: number;
  readonly confirmed: number;
  /** Undefined while it is not known. */
  readonly length: number | undefined;
}

/** Sums that change by what changed, so that thousands of tasks cost no more than one. */
export class QueueTotals {
  readonly #clock: Clock;
  readonly #pace = new Pace();
  /** Of tasks that are not over. */
  readonly #shares = new Map<UploadTask, Share>();
  readonly #counts: Record<UploadState["kind"], number> = {
    waiting: 0,
    starting: 0,
    checking: 0,
    uploading: 0,
    paused: 0,
    retrying: 0,
    publishing: 0,
    done: 0,
    failed: 0,
    aborted: 0,
    cancelled: 0,
  };
  readonly #sums = { count: 0, sent: 0, confirmed: 0, length: 0, lengthsUnknown: 0 };
  /** Bytes that went over the network, what was sent twice included. */
  #carried = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param length when it is known before the source is opened */
  add(task: UploadTask, length: number | undefined): void {
    const { kind } = task.state;
    const share = { kind, isOpen: false, sent: 0, confirmed: 0, length };
    this.#sums.count += 1;
    this.#apply(share, 1);
    this.#shares.set(task, share);
  }

  update(task: UploadTask, snapshot: UploadSnapshot): void {
    const before = this.#shares.get(task);
    if (before === undefined) return;
    const share = shareOf(snapshot, before);
    // Where it begins is what an earlier process had sent, which was not sent at any rate.
    if (before.isOpen) this.#carried += Math.max(0, share.sent - before.sent);
    this.#apply(before, -1);
    this.#apply(share, 1);
    if (isOver(snapshot.state)) this.#shares.delete(task);
    else this.#shares.set(task, share);
    this.#pace.note(this.#carried, this.#clock.now());
  }

  snapshot(): QueueSnapshot {
    const { length, sent, lengthsUnknown } = this.#sums;
    const rate = this.#pace.rate(this.#clock.now());
    const secondsLeft = lengthsUnknown > 0 ? undefined : secondsFor(length - sent, rate);
    const counts = Object.freeze({ ...this.#counts });
    return Object.freeze({ counts, ...this.#sums, rate, secondsLeft });
  }

  #apply({ kind, sent, confirmed, length }: Share, sign: 1 | -1): void {
    this.#counts[kind] += sign;
    this.#sums.sent += sign * sent;
    this.#sums.confirmed += sign * confirmed;
    if (length === undefined) this.#sums.lengthsUnknown += sign;
    else this.#sums.length += sign * length;
  }
}

function shareOf({ state, progress }: UploadSnapshot, before: Share): Share {
  const { sent, confirmed, length } = progress ?? before;
  return {
    kind: state.kind,
    isOpen: progress !== undefined,
    sent,
    confirmed,
    length: isOver(state) ? sent : length,
  };
}
