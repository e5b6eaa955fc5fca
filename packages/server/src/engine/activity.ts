import type { Clock } from "../base/clock.ts";

/** One append that is under way in this process. */
export interface Writer {
  /** Up to where bytes have arrived; they are durable up to the upload's offset only. */
  readonly position: number;
  /** When something arrived last, by the monotonic clock. */
  readonly arrivedAt: number;
  /** What it is sent in; undefined when its protocol does not say. */
  readonly dialect: string | undefined;
}

/** Bytes since this process began. */
export interface Totals {
  receivedBytes: number;
  durableBytes: number;
}

interface BegunWriter {
  readonly id: string;
  readonly position: number;
  readonly dialect: string | undefined;
}

/** What this process is receiving: counted while it happens, lost with it, and rested on by nothing. */
export class Activity {
  readonly #books: Books;

  constructor(clock: Pick<Clock, "monotonic">) {
    const totals = { receivedBytes: 0, durableBytes: 0 };
    this.#books = { clock, totals, writers: new Map() };
  }

  get totals(): Readonly<Totals> {
    return { ...this.#books.totals };
  }

  get writers(): number {
    return this.#books.writers.size;
  }

  writerOf(id: string): Writer | undefined {
    return this.#books.writers.get(id);
  }

  /** The uploads whose writers have brought nothing for so long, the longest first. */
  silentFor(leastMs: number): string[] {
    const { clock, writers } = this.#books;
    const until = clock.monotonic() - leastMs;
    return [...writers]
      .filter(([, { arrivedAt }]) => arrivedAt <= until)
      .sort(([, one], [, other]) => one.arrivedAt - other.arrivedAt)
      .map(([id]) => id);
  }

  /** An upload has one writer: whoever begins later has taken it over. */
  begin(begun: BegunWriter): WriterWord {
    const word = new WriterWord(begun, this.#books);
    this.#books.writers.set(begun.id, word);
    return word;
  }
}

interface Books {
  readonly clock: Pick<Clock, "monotonic">;
  readonly totals: Totals;
  readonly writers: Map<string, WriterWord>;
}

/** What an append tells of itself. Ten thousand may be open: each is one small object. */
export class WriterWord implements Writer {
  readonly dialect: string | undefined;
  readonly #id: string;
  readonly #books: Books;
  #position: number;
  #arrivedAt: number;

  constructor({ id, position, dialect }: BegunWriter, books: Books) {
    this.dialect = dialect;
    this.#id = id;
    this.#books = books;
    this.#position = position;
    this.#arrivedAt = books.clock.monotonic();
  }

  get position(): number {
    return this.#position;
  }

  get arrivedAt(): number {
    return this.#arrivedAt;
  }

  received(bytes: number): void {
    this.#position += bytes;
    this.#arrivedAt = this.#books.clock.monotonic();
    this.#books.totals.receivedBytes += bytes;
  }

  madeDurable(bytes: number): void {
    this.#books.totals.durableBytes += bytes;
  }

  end(): void {
    const { writers } = this.#books;
    if (writers.get(this.#id) === this) writers.delete(this.#id);
  }
}
