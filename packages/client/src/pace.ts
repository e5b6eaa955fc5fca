const windowMs = 5000;
/** Marks closer together than this tell no more, and are many on a fast line. */
const markEveryMs = 100;

interface Mark {
  readonly atMs: number;
  /** Bytes carried until then. */
  readonly carried: number;
}

/** How fast bytes go, over the last five seconds. */
export class Pace {
  #marks: Mark[] = [];
  #carried = 0;
  #sent: number | undefined;

  /** What has been sent by now; less than before when a cut took some of it back. */
  note(sent: number, nowMs: number): void {
    // What is there at the beginning was not sent at any rate.
    this.#carried += Math.max(0, sent - (this.#sent ?? sent));
    this.#sent = sent;
    const sinceMs = nowMs - (this.#marks.at(-1)?.atMs ?? -Infinity);
    // A clock that is put back would make every rate since then wrong.
    if (sinceMs < 0) this.#marks = [];
    else if (sinceMs < markEveryMs) return;
    this.#marks.push({ atMs: nowMs, carried: this.#carried });
    this.#forgetBefore(nowMs - windowMs);
  }

  /** Bytes a second; 0 as long as there is too little to tell it from. */
  rate(nowMs: number): number {
    this.#forgetBefore(nowMs - windowMs);
    const [first] = this.#marks;
    if (first === undefined || nowMs - first.atMs < markEveryMs) return 0;
    return ((this.#carried - first.carried) / (nowMs - first.atMs)) * 1000;
  }

  /** The time until the next note is a pause, and does not make the rate smaller. */
  rest(): void {
    this.#marks = [];
    this.#sent = undefined;
  }

  /** The newest mark before the window stays: the window begins there. */
  #forgetBefore(startMs: number): void {
    while ((this.#marks[1]?.atMs ?? Infinity) <= startMs) this.#marks.shift();
  }
}

/** Seconds until `left` bytes have gone; undefined while nothing goes. */
export function secondsFor(left: number, rate: number): number | undefined {
  return rate > 0 ? left / rate : undefined;
}
