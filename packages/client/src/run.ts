import { throwIfAborted } from "./abortable.ts";
import { adopt, sameContent } from "./adopt.ts";
import type { AppendOutcome, DialectClient, Standing, UploadFacts } from "./dialects/dialect.ts";
import { asUploadError, isLineFailure, isOneOf, UploadError } from "./errors.ts";
import { contradiction, OffsetRules } from "./offset-rules.ts";
import type { ParsedOptions } from "./options.ts";
import { PartSize } from "./part-size.ts";
import { Patience } from "./patience.ts";
import type { Tools } from "./platform/platform.ts";
import { Remembrance } from "./remembrance.ts";
import type { Source } from "./sources/source.ts";
import type { UploadResult, UploadState } from "./state.ts";

/** Where the bytes are. */
export interface RunProgress {
  readonly sent: number;
  readonly confirmed: number;
}

export interface RunParts {
  readonly source: Source;
  readonly facts: UploadFacts;
  readonly options: ParsedOptions;
  readonly dialect: DialectClient;
  readonly tools: Tools;
  readonly setState: (state: UploadState) => void;
  readonly setProgress: (progress: RunProgress) => void;
}

/** One upload from begin to handle. Knows neither protocol nor platform. */
export class UploadRun {
  readonly #parts: RunParts;
  readonly #patience: Patience;
  readonly #remembrance: Remembrance;
  readonly #offsets: OffsetRules;
  readonly #partSize: PartSize;
  /** The append under way, or the one that failed. */
  #sending: { readonly offset: number; readonly length: number; sent: number } | undefined;
  #signal = AbortSignal.abort();
  #id: string | undefined;
  #handle: string | undefined;
  #resumedFrom = 0;
  #adopted = false;

  constructor(parts: RunParts) {
    const { options, tools, setState, facts } = parts;
    this.#parts = parts;
    this.#patience = new Patience({
      ...tools,
      policy: options.retry,
      onFailure: (failure) => {
        setState({ kind: "retrying", ...failure });
      },
    });
    this.#offsets = new OffsetRules(facts.length);
    const { url } = options.connection;
    this.#partSize = new PartSize({ wanted: options.chunkSize, url, clock: tools.clock });
    this.#remembrance = new Remembrance(parts);
  }

  /** Goes on until it is done, it fails or the signal is aborted; then it may be called again. */
  async run(signal: AbortSignal): Promise<UploadResult> {
    throwIfAborted(signal);
    this.#signal = signal;
    const leave = this.#remembrance.enter();
    try {
      const id = await this.#begin();
      this.#handle ??= await this.#sendAll(id);
      return await this.#finish(id, this.#handle);
    } catch (error) {
      // What was sent of a file that changed is of no use to anybody.
      if (isOneOf(error, ["source-changed"])) await this.#remembrance.forget();
      throw error;
    } finally {
      leave();
    }
  }

  /** Gives the upload up, on the server too. */
  async giveUp(signal: AbortSignal): Promise<void> {
    if (this.#id === undefined) {
      const entry = await this.#remembrance.recall();
      // A complete one is no longer under way.
      if (entry?.state !== "open") return;
      this.#id = entry.id;
    }
    await this.#remembrance.forget();
    try {
      await this.#parts.dialect.cancel(this.#id, signal);
    } catch (error) {
      // One that is gone already is what was wanted.
      if (!isOneOf(error, ["gone", "not-found"])) throw error;
    }
  }

  async #begin(): Promise<string> {
    if (this.#id === undefined) {
      this.#id = (await this.#resume()) ?? (await this.#start());
    } else if (this.#handle === undefined) {
      // An earlier call was stopped, maybe in the middle of a request.
      await this.#follow(await this.#ask(this.#id));
    }
    return this.#id;
  }

  async #start(): Promise<string> {
    const { dialect, facts, setState } = this.#parts;
    setState({ kind: "starting" });
    const id = await this.#persist((signal) => dialect.start(facts, signal));
    this.#patience.renew();
    await this.#remembrance.keep({ id, state: "open" });
    return id;
  }

  async #resume(): Promise<string | undefined> {
    const { options, source, facts, tools, setState } = this.#parts;
    const entry = await this.#remembrance.recall(true);
    if (entry === undefined) return undefined;
    setState({ kind: "checking" });
    const ask = () => this.#ask(entry.id);
    const { crc32 } = tools;
    const standing = await adopt(entry, { source, facts, crc32, ask, signal: this.#signal });
    if (typeof standing === "string") {
      // What is remembered stays until another upload takes its place: starting one may fail.
      options.onWarning({ code: "started-anew", message: `${standing}; starting anew` });
      return undefined;
    }
    const { offset } = standing;
    this.#resumedFrom = offset;
    this.#offsets.handOut(offset);
    this.#offsets.confirm(offset);
    this.#adopted = true;
    this.#patience.renew();
    return entry.id;
  }

  async #sendAll(id: string): Promise<string> {
    for (;;) {
      try {
        const handle = await this.#step(id);
        if (handle !== undefined) return handle;
      } catch (error) {
        await this.#recover(id, error);
      }
    }
  }

  /** Finds out how far the server is after a failure that is not final, and what size to try next. */
  async #recover(id: string, error: unknown): Promise<void> {
    const sending = this.#sending;
    this.#sending = undefined;
    const failure = asUploadError(error);
    const isTooLarge = failure.facts.status === 413;
    const isSmaller = isTooLarge && sending !== undefined && this.#partSize.shrink(sending.length);
    if (!isSmaller) await this.#patience.endure(failure, this.#signal);
    await this.#follow(await this.#ask(id));
    if (sending === undefined || !isLineFailure(failure)) return;
    const brought = this.#offsets.confirmed - sending.offset;
    // Another size is another try altogether; there are not many of them.
    if (this.#partSize.cut({ ...sending, brought })) this.#patience.renew();
  }

  /** One append; the handle when it was the last. */
  async #step(id: string): Promise<string | undefined> {
    const before = this.#offsets.confirmed;
    const outcome = await this.#append(id);
    this.#sending = undefined;
    this.#partSize.arrived();
    if (outcome.kind === "complete") return this.#accept(outcome.handle);
    const { offset } = outcome;
    await this.#follow(offset === undefined ? await this.#ask(id) : { offset });
    if (this.#offsets.confirmed > before) return undefined;
    throw new UploadError("bad-answer", `the server accepted a part but stayed at ${before}`);
  }

  #accept(handle: string): string {
    const { length } = this.#parts.facts;
    const { handedOut } = this.#offsets;
    if (handedOut >= length || this.#adopted) return handle;
    throw contradiction(`calls the upload complete after ${handedOut} of ${length} bytes`);
  }

  #append(id: string): Promise<AppendOutcome> {
    const { source, facts, dialect, setState } = this.#parts;
    const offset = this.#offsets.confirmed;
    const { partLengthMax = Infinity } = dialect;
    const length = Math.min(facts.length - offset, this.#partSize.bytes, partLengthMax);
    const end = offset + length;
    const sending = { offset, length, sent: 0 };
    this.#sending = sending;
    setState({ kind: "uploading", id, offset });
    this.#progress(offset);
    return dialect.append({
      id,
      offset,
      length: facts.length,
      body: {
        length,
        open: () => this.#handOut(source, offset, end),
        blob: this.#lend(source, offset, end),
      },
      onSent: (sent) => {
        sending.sent = sent;
        this.#progress(offset + sent);
      },
      signal: this.#signal,
    });
  }

  async *#handOut(source: Source, start: number, end: number): AsyncGenerator<Uint8Array> {
    let position = start;
    for await (const chunk of source.open(start, end)) {
      position += chunk.length;
      this.#offsets.handOut(position);
      yield chunk;
    }
  }

  /** Whoever has the blob may send all of it, and how far that got is not known: all counts. */
  #lend({ blob }: Source, start: number, end: number): (() => Blob) | undefined {
    if (blob === undefined) return undefined;
    return () => {
      this.#offsets.handOut(end);
      return blob(start, end);
    };
  }

  #ask(id: string): Promise<Standing> {
    return this.#persist((signal) => this.#parts.dialect.ask(id, signal));
  }

  #persist<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#patience.persist(() => step(this.#signal), this.#signal);
  }

  /** Goes on from where the server says it is, if that can be true. */
  async #follow(standing: Standing): Promise<void> {
    const { offset } = standing;
    const isOthers = await this.#isOwnContent(standing);
    if (isOthers) this.#offsets.handOut(offset);
    this.#offsets.check(offset);
    if (!this.#offsets.confirm(offset)) return;
    // Two senders must not go on cutting each other as fast as they can ask.
    this.#patience.renew(isOthers ? 1 : 0);
    this.#progress(offset);
  }

  /**
   * More than this process sent: what an earlier process had still under way, or what another sends
   * of the same file meanwhile. Of an upload that this process began, only the CRC-32 can show that
   * it is not somebody else's content.
   */
  async #isOwnContent(standing: Standing): Promise<boolean> {
    const { source, tools, facts } = this.#parts;
    const { handedOut } = this.#offsets;
    const isMore = standing.offset > handedOut && standing.offset <= facts.length;
    if (!isMore || (!this.#adopted && standing.crc32 === undefined)) return false;
    return await sameContent(source, standing, { crc32: tools.crc32, signal: this.#signal });
  }

  #progress(sent: number): void {
    this.#parts.setProgress({ sent, confirmed: this.#offsets.confirmed });
  }

  async #finish(id: string, handle: string): Promise<UploadResult> {
    const { options, dialect, facts, setState } = this.#parts;
    const { publish, keepCompleted } = options;
    const remembered = { id, state: "complete", handle } as const;
    let fileId: string | undefined;
    this.#offsets.confirm(facts.length);
    this.#progress(facts.length);
    this.#patience.renew();
    await this.#remembrance.keep(remembered);
    if (publish !== undefined) {
      setState({ kind: "publishing", handle });
      fileId = await this.#persist(async (signal) => dialect.publish?.(handle, publish, signal));
      if (keepCompleted) await this.#remembrance.keep({ ...remembered, fileId });
    }
    if (!keepCompleted) await this.#remembrance.forget();
    const { total: retries } = this.#patience;
    return { handle, id, bytes: facts.length, resumedFrom: this.#resumedFrom, fileId, retries };
  }
}
