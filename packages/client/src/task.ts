import { abortable, abortedBy, throwIfAborted } from "./abortable.ts";
import type { UploadFacts } from "./dialects/dialect.ts";
import { TokenHolder } from "./dialects/token.ts";
import { asUploadError, UploadError } from "./errors.ts";
import type { SubscribeOptions } from "./listeners.ts";
import { Listeners } from "./listeners.ts";
import { checkName, invalidOption } from "./option-checks.ts";
import type { ParsedOptions } from "./options.ts";
import { Pace, secondsFor } from "./pace.ts";
import type { Tools } from "./platform/platform.ts";
import type { RunProgress } from "./run.ts";
import { UploadRun } from "./run.ts";
import type { Source } from "./sources/source.ts";
import type { UploadProgress, UploadResult, UploadSnapshot, UploadState } from "./state.ts";
import { isOver } from "./state.ts";
import type { Transport } from "./transports/transport.ts";
import type { Gate } from "./turns.ts";
import { openGate } from "./turns.ts";
import { warn } from "./warnings.ts";

const cancelMs = 15_000;

/** What a task works with besides its source and options. */
export interface TaskMeans extends Tools {
  readonly transport: Transport;
  /** Says when it is the task's turn; at once unless given. */
  readonly gate?: Gate | undefined;
  /** As `gate`, for a look at a source whose upload is given up before it had a turn. */
  readonly looks?: Gate | undefined;
  /** Holds the option's token for several tasks; the task's own unless given. */
  readonly tokens?: TokenHolder | undefined;
}

type OpenSource = () => Promise<Source>;

type Position = RunProgress & { readonly length: number };

/**
 * An upload under way. Await it, or its `result`, for the {@link UploadResult}; a failure rejects
 * with an `UploadError`. No method of it throws unless it says so, and none does anything once the
 * task is over.
 */
export class UploadTask implements PromiseLike<UploadResult> {
  readonly result: Promise<UploadResult>;
  readonly #open: OpenSource;
  readonly #options: ParsedOptions;
  readonly #means: TaskMeans;
  readonly #listeners: Listeners<UploadSnapshot>;
  readonly #pace = new Pace();
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  /** Aborted by `pause()`; another one when the task goes on. */
  #turn = new AbortController();
  /** Settled by `resume()`; undefined unless paused. */
  #paused: PromiseWithResolvers<undefined> | undefined;
  #state: UploadState = { kind: "waiting" };
  #position: Position | undefined;
  #source: Source | undefined;
  #run: UploadRun | undefined;

  /** Begins as soon as it is let; `open` is called then. Tasks are made by `upload` and queues. */
  constructor(open: OpenSource, options: ParsedOptions, means: TaskMeans) {
    const own = this.#controller.signal;
    this.#open = open;
    this.#options = options;
    this.#means = means;
    this.#signal = options.signal === undefined ? own : AbortSignal.any([own, options.signal]);
    this.#listeners = new Listeners(() => this.snapshot, means.clock);
    this.result = this.#settle();
  }

  get state(): UploadState {
    return this.#state;
  }

  /** Undefined until the source is open. */
  get progress(): UploadProgress | undefined {
    if (this.#position === undefined) return undefined;
    const isSending = this.#state.kind === "uploading";
    const rate = isSending ? this.#pace.rate(this.#means.clock.now()) : 0;
    return progressAt(this.#position, rate);
  }

  get snapshot(): UploadSnapshot {
    return Object.freeze({ state: this.#state, progress: this.progress });
  }

  /**
   * Tells of every change of state or progress until the task is over; the end is always told.
   * What the listener throws is reported as uncaught and does not stop the upload.
   *
   * @returns what ends it
   */
  subscribe(listener: (snapshot: UploadSnapshot) => void, options?: SubscribeOptions): () => void {
    if (isOver(this.#state)) return () => undefined;
    return this.#listeners.subscribe(listener, options);
  }

  /**
   * The task as it is now, then as it is after each change, the last time when it is over. A reader
   * that takes its time misses what lies between, never the end.
   *
   * @throws UploadError `aborted` when the signal is
   */
  async *snapshots(signal?: AbortSignal): AsyncGenerator<UploadSnapshot, void> {
    let changed = Promise.withResolvers<undefined>();
    const stop = this.subscribe(() => {
      changed.resolve(undefined);
    });
    try {
      for (;;) {
        const { snapshot } = this;
        yield snapshot;
        if (isOver(snapshot.state)) return;
        await abortable(changed.promise, signal);
        changed = Promise.withResolvers<undefined>();
      }
    } finally {
      stop();
    }
  }

  /** Cuts what is under way; what the server has stays there. `resume()` goes on from it. */
  pause(): void {
    if (this.#paused !== undefined || isOver(this.#state)) return;
    this.#paused = Promise.withResolvers<undefined>();
    this.#turn.abort(new UploadError("aborted", "paused"));
  }

  /**
   * Asks the server how far it is and goes on; in a queue, as soon as there is room, and after a
   * `pauseAll()` not before `resumeAll()`.
   */
  resume(): void {
    this.#paused?.resolve(undefined);
    this.#paused = undefined;
  }

  /** Ends the task; what the server has stays there, and another task can go on with it. */
  abort(): void {
    this.#controller.abort(new UploadError("aborted", "stopped"));
  }

  /**
   * Ends the task and gives the upload up on the server as well, also after a failure, and also what
   * the resume store has of it from an earlier process. Resolves when that is done.
   *
   * @throws UploadError when the server could not be told, or a source that had no turn yet cannot be
   *   opened to find out what of
   */
  async cancel(): Promise<void> {
    this.#controller.abort(new UploadError("cancelled", "the upload was cancelled"));
    await this.result.catch(() => undefined);
    if (this.#state.kind === "done") return;
    const run = this.#run ?? (await this.#lookBack());
    await run?.giveUp(AbortSignal.timeout(cancelMs));
  }

  then<Value = UploadResult, Failure = never>(
    onDone?: ((result: UploadResult) => Value | PromiseLike<Value>) | null,
    onFailed?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    return this.result.then(onDone, onFailed);
  }

  async #settle(): Promise<UploadResult> {
    try {
      const result = await this.#work();
      this.#setState({ kind: "done", result });
      return result;
    } catch (thrown) {
      const error = this.#explain(thrown);
      this.#setState(endState(error));
      throw error;
    }
  }

  /** Turn after turn, each up to a pause, the last one up to the end. */
  async #work(): Promise<UploadResult> {
    try {
      for (;;) {
        await this.#untilWanted();
        try {
          return await this.#takeTurn();
        } catch (thrown) {
          if (!this.#isPause(thrown)) throw thrown;
        }
      }
    } finally {
      await this.#source?.close();
    }
  }

  /** Waits while the task is paused, and begins the next turn. */
  async #untilWanted(): Promise<void> {
    while (this.#paused !== undefined) {
      const { promise } = this.#paused;
      this.#pace.rest();
      this.#setState({ kind: "paused" });
      await abortable(promise, this.#signal);
      this.#setState({ kind: "waiting" });
    }
    // In the same breath as the last look: a pause from here on aborts this very turn.
    this.#turn = new AbortController();
  }

  async #takeTurn(): Promise<UploadResult> {
    const { gate = openGate } = this.#means;
    const signal = AbortSignal.any([this.#signal, this.#turn.signal]);
    const leave = await gate.enter(signal, this.#run !== undefined);
    try {
      throwIfAborted(signal);
      this.#setState({ kind: this.#run === undefined ? "starting" : "checking" });
      return await (await this.#prepare()).run(signal);
    } finally {
      leave();
    }
  }

  async #prepare(): Promise<UploadRun> {
    this.#source ??= await this.#open();
    return (this.#run ??= this.#makeRun(this.#source));
  }

  /** An earlier process may have begun the upload of a source that was not opened by this one. */
  async #lookBack(): Promise<UploadRun | undefined> {
    const { looks = openGate } = this.#means;
    if (this.#state.kind === "failed" || !this.#options.resumeStore) return undefined;
    const leave = await looks.enter(new AbortController().signal, false);
    try {
      return await this.#prepare();
    } finally {
      await this.#source?.close();
      leave();
    }
  }

  #makeRun(source: Source): UploadRun {
    const { connection, dialect } = this.#options;
    const { transport, tokens = new TokenHolder(connection.token) } = this.#means;
    const facts = factsOf(source, this.#options);
    warn(facts, source.contentType, this.#options);
    return new UploadRun({
      source,
      facts,
      options: this.#options,
      dialect: dialect.connect({ connection, transport, tokens }),
      tools: this.#means,
      setState: (state) => {
        this.#setState(state);
      },
      setProgress: (progress) => {
        this.#setPosition({ ...progress, length: facts.length });
      },
    });
  }

  #isPause(thrown: unknown): boolean {
    const isPaused = this.#turn.signal.aborted && !this.#signal.aborted;
    return isPaused && asUploadError(thrown).code === "aborted";
  }

  #explain(thrown: unknown): UploadError {
    return this.#signal.aborted ? abortedBy(this.#signal) : asUploadError(thrown);
  }

  #setState(state: UploadState): void {
    // The run says it too, and there is nothing more to tell.
    if (state.kind === "starting" && this.#state.kind === "starting") return;
    this.#state = state;
    this.#options.onState(state);
    if (isOver(state)) this.#listeners.finish();
    else this.#listeners.notify();
  }

  #setPosition(position: Position): void {
    const nowMs = this.#means.clock.now();
    this.#position = position;
    this.#pace.note(position.sent, nowMs);
    this.#options.onProgress(progressAt(position, this.#pace.rate(nowMs)));
    this.#listeners.notify();
  }
}

function progressAt(position: Position, rate: number): UploadProgress {
  const secondsLeft = secondsFor(position.length - position.sent, rate);
  return Object.freeze({ ...position, rate, secondsLeft });
}

function endState(error: UploadError): UploadState {
  const { code: kind } = error;
  return kind === "aborted" || kind === "cancelled" ? { kind } : { kind: "failed", error };
}

function factsOf(source: Source, options: ParsedOptions): UploadFacts {
  if (source.length === 0 && options.dialect.needsApp) {
    throw invalidOption("the file is empty", "The service takes files of 1 byte or more.");
  }
  return {
    name: options.name ?? checkName(source.name ?? "upload"),
    type: options.type ?? source.type ?? "application/octet-stream",
    length: source.length,
  };
}
