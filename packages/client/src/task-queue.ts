import { abortable } from "./abortable.ts";
import type { SubscribeOptions } from "./listeners.ts";
import { Listeners } from "./listeners.ts";
import { TokenHolder } from "./dialects/token.ts";
import { readCount } from "./option-checks.ts";
import type { AnyUploadOptions, StandardUploadOptions, UploadOptions } from "./options.ts";
import { parseUpload } from "./options.ts";
import type { Platform } from "./platform/platform.ts";
import type { QueueSnapshot } from "./queue-totals.ts";
import { QueueTotals } from "./queue-totals.ts";
import { isOver } from "./state.ts";
import { UploadTask } from "./task.ts";
import { Turns } from "./turns.ts";

interface QueueOnly {
  /** Uploads under way at the same time, 1 or more; 3 unless given. */
  readonly parallel?: number | undefined;
}

/** Options of every upload of a queue, and of the queue itself. */
export interface QueueOptions extends UploadOptions, QueueOnly {}

/** Of a queue in another dialect. */
export interface StandardQueueOptions extends StandardUploadOptions, QueueOnly {}

/** For one upload of a queue, in place of the queue's own. */
type OwnOptions = Partial<UploadOptions> | Partial<StandardUploadOptions>;

/**
 * Uploads many files, a few at a time, in the order in which they were added. A task that waits for
 * its turn holds no open source, so thousands may wait. A task that is paused gives its turn to the
 * next one, and when it is resumed it goes before those that wait.
 *
 * A task that fails does not stop the others, and its failure is no unhandled rejection: it is in
 * the task's `state` and `result`. The queue keeps no task that is over.
 */
export class TaskQueue<Input> {
  readonly #options: AnyUploadOptions;
  readonly #platform: Platform<Input>;
  readonly #turns: Turns;
  /** One after another, lest thousands that are given up are open at once. */
  readonly #looks = new Turns(1);
  readonly #totals: QueueTotals;
  readonly #listeners: Listeners<QueueSnapshot>;
  /** Those that are not over. */
  readonly #tasks = new Set<UploadTask>();
  /** Forgotten when the queue is empty: who comes then may be somebody else. */
  #tokens: TokenHolder | undefined;
  #opening: AbortController | undefined;
  #emptied: PromiseWithResolvers<undefined> | undefined;

  /** @throws UploadError `invalid-option` */
  constructor(
    { parallel, ...options }: QueueOptions | StandardQueueOptions,
    platform: Platform<Input>,
  ) {
    parseUpload(options);
    this.#options = options;
    this.#platform = platform;
    this.#turns = new Turns(readCount({ parallel }, "parallel") ?? 3);
    this.#totals = new QueueTotals(platform.clock);
    this.#listeners = new Listeners(() => this.snapshot, platform.clock);
  }

  /** The tasks that are not over, in the order in which they were added. */
  get tasks(): readonly UploadTask[] {
    return [...this.#tasks];
  }

  /** What the uploads of this queue come to together; those that are over included. */
  get snapshot(): QueueSnapshot {
    return this.#totals.snapshot();
  }

  /**
   * Adds an upload. It begins when it is its turn; options given here go before the queue's.
   *
   * @throws UploadError `invalid-option`
   */
  add(input: Input, options: OwnOptions = {}): UploadTask {
    const parsed = parseUpload({ ...this.#options, ...options });
    const tokens = options.token === undefined ? this.#shareToken() : undefined;
    const means = { ...this.#platform, gate: this.#turns, looks: this.#looks, tokens };
    const task = new UploadTask(() => this.#platform.openSource(input), parsed, means);
    this.#tasks.add(task);
    this.#totals.add(task, lengthOf(input));
    this.#listeners.notify();
    task.subscribe((snapshot) => {
      this.#totals.update(task, snapshot);
      if (isOver(snapshot.state)) this.#forget(task);
      this.#listeners.notify();
    });
    task.result.catch(() => undefined);
    return task;
  }

  /** Adds uploads with the same options. */
  addAll(inputs: Iterable<Input>, options?: OwnOptions): UploadTask[] {
    return Array.from(inputs, (input) => this.add(input, options));
  }

  /**
   * Pauses what is under way. Until `resumeAll()` nothing begins that waits, is added, or is resumed by
   * itself.
   */
  pauseAll(): void {
    this.#opening?.abort();
    this.#turns.closed = true;
    for (const task of this.#tasks) if (task.state.kind !== "waiting") task.pause();
  }

  /** Resumes every task that is paused, and lets waiting ones begin where there is still room. */
  resumeAll(): void {
    for (const task of this.#tasks) task.resume();
    void this.#openSoon();
  }

  /**
   * Ends all tasks and gives their uploads up on the server as well. Resolves when that is done.
   *
   * @throws UploadError when the server could not be told of one of them; the others are told
   */
  async cancelAll(): Promise<void> {
    const cancelled = Array.from(this.#tasks, (task) => task.cancel());
    await Promise.allSettled(cancelled);
    await Promise.all(cancelled);
  }

  /**
   * Resolves when no task is left that is not over, with the totals; it never rejects for a task
   * that failed.
   *
   * @throws UploadError `aborted` when the signal is
   */
  async settled(signal?: AbortSignal): Promise<QueueSnapshot> {
    while (this.#tasks.size > 0) {
      this.#emptied ??= Promise.withResolvers<undefined>();
      await abortable(this.#emptied.promise, signal);
    }
    return this.snapshot;
  }

  /**
   * Tells of every change. With thousands of files, `everyMs` spares whoever draws them.
   *
   * @returns what ends it
   */
  subscribe(listener: (snapshot: QueueSnapshot) => void, options?: SubscribeOptions): () => void {
    return this.#listeners.subscribe(listener, options);
  }

  /** Holds the queue's token for all that is there now. */
  #shareToken(): TokenHolder {
    const { token } = this.#options;
    // What is asked for all must not end with the one that asked first.
    const { signal } = new AbortController();
    this.#tokens ??= new TokenHolder(typeof token === "function" ? () => token(signal) : token);
    return this.#tokens;
  }

  #forget(task: UploadTask): void {
    this.#tasks.delete(task);
    if (this.#tasks.size > 0) return;
    this.#tokens = undefined;
    this.#emptied?.resolve(undefined);
    this.#emptied = undefined;
  }

  /** Resumed tasks need a moment to line up, and are to go before those that wait. */
  async #openSoon(): Promise<void> {
    const opening = new AbortController();
    this.#opening = opening;
    await this.#platform.clock.sleep(0, opening.signal).catch(() => undefined);
    if (!opening.signal.aborted) this.#turns.closed = false;
  }
}

/** Bytes of what tells its length without being opened: bytes, a `Blob`, a `File`. */
function lengthOf(input: unknown): number | undefined {
  if (input instanceof Uint8Array) return input.length;
  return input instanceof Blob ? input.size : undefined;
}
