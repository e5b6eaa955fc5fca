import { adopt, sameContent } from "./adopt.ts";
import type { AppendOutcome, Dialect, Standing, UploadFacts } from "./dialects/dialect.ts";
import { UploadError } from "./errors.ts";
import type { ParsedOptions } from "./options.ts";
import { Patience } from "./patience.ts";
import type { Tools } from "./platform/platform.ts";
import { Remembrance } from "./remembrance.ts";
import type { Source } from "./sources/source.ts";
import type { UploadResult, UploadState } from "./state.ts";

export interface RunParts {
  readonly source: Source;
  readonly facts: UploadFacts;
  readonly options: ParsedOptions;
  readonly dialect: Dialect;
  readonly tools: Tools;
  readonly signal: AbortSignal;
  readonly setState: (state: UploadState) => void;
}

/** One upload from begin to handle. Knows neither protocol nor platform. */
export class UploadRun {
  readonly #parts: RunParts;
  readonly #patience: Patience;
  readonly #remembrance: Remembrance;
  #id: string | undefined;
  /** What the server is known to have. */
  #confirmed = 0;
  /** How far the source has been read for sending: the server cannot have more from us. */
  #handedOut = 0;
  #resumedFrom = 0;
  #adopted = false;

  constructor(parts: RunParts) {
    const { options, tools, signal, setState, source, facts } = parts;
    this.#parts = parts;
    this.#patience = new Patience({
      policy: options.retry,
      clock: tools.clock,
      random: tools.random,
      signal,
      onFailure: (error, failures, waitMs) => {
        setState({ kind: "retrying", error, failures, waitMs });
      },
    });
    const { url, appId } = options.connection;
    const { identity, fingerprint } = source;
    const base = { url, appId, identity, fingerprint, ...facts };
    this.#remembrance = new Remembrance(options.resumeStore, base, (message) => {
      options.onWarning({ code: "forgetful", message });
    });
  }

  async run(): Promise<UploadResult> {
    try {
      const id = await this.#begin();
      const handle = await this.#sendAll(id);
      return await this.#finish(id, handle);
    } catch (error) {
      // What was sent of a file that changed is of no use to anybody.
      if (error instanceof UploadError && error.code === "source-changed") {
        await this.#remembrance.forget();
      }
      throw error;
    }
  }

  /** Gives the upload up, on the server too. */
  async giveUp(signal: AbortSignal): Promise<void> {
    await this.#remembrance.forget();
    if (this.#id !== undefined) await this.#parts.dialect.cancel(this.#id, signal);
  }

  async #begin(): Promise<string> {
    this.#id = (await this.#resume()) ?? (await this.#start());
    return this.#id;
  }

  async #start(): Promise<string> {
    const { dialect, facts, signal, setState, tools } = this.#parts;
    setState({ kind: "starting" });
    const id = await this.#patience.persist(() => dialect.start(facts, signal));
    this.#patience.renew();
    await this.#remembrance.keep({ id, state: "open" }, tools.clock.now());
    return id;
  }

  async #resume(): Promise<string | undefined> {
    const { options, source, facts, tools, setState } = this.#parts;
    const entry = options.fresh ? undefined : await this.#remembrance.recall();
    if (entry === undefined) return undefined;
    setState({ kind: "checking" });
    const ask = () => this.#ask(entry.id);
    const adoption = await adopt(entry, { source, facts, crc32: tools.crc32, ask });
    if (adoption.kind === "declined") {
      const message = `${adoption.reason}; starting anew`;
      options.onWarning({ code: "started-anew", message });
      await this.#remembrance.forget();
      return undefined;
    }
    const { offset } = adoption.standing;
    this.#resumedFrom = this.#confirmed = this.#handedOut = offset;
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
        await this.#patience.endure(error);
        await this.#follow(await this.#ask(id));
      }
    }
  }

  /** One append; the handle when it was the last. */
  async #step(id: string): Promise<string | undefined> {
    const before = this.#confirmed;
    const outcome = await this.#append(id);
    if (outcome.kind === "complete") return this.#accept(outcome.handle);
    const { offset } = outcome;
    await this.#follow(offset === undefined ? await this.#ask(id) : { offset });
    if (this.#confirmed > before) return undefined;
    throw new UploadError("bad-answer", `the server accepted a part but stayed at ${before}`);
  }

  #accept(handle: string): string {
    const { length } = this.#parts.facts;
    if (this.#handedOut >= length || this.#adopted) return handle;
    throw contradiction(`calls the upload complete after ${this.#handedOut} of ${length} bytes`);
  }

  #append(id: string): Promise<AppendOutcome> {
    const { source, facts, options, dialect, signal, setState } = this.#parts;
    const offset = this.#confirmed;
    const end = Math.min(facts.length, offset + (options.chunkSize ?? facts.length));
    setState({ kind: "uploading", id, offset });
    this.#progress(offset);
    return dialect.append({
      id,
      offset,
      part: {
        length: end - offset,
        open: () => this.#handOut(source, offset, end),
        blob: this.#lend(source, offset, end),
      },
      onSent: (sent) => {
        this.#progress(offset + sent);
      },
      signal,
    });
  }

  async *#handOut(source: Source, start: number, end: number): AsyncGenerator<Uint8Array> {
    let position = start;
    for await (const chunk of source.open(start, end)) {
      position += chunk.length;
      this.#handedOut = Math.max(this.#handedOut, position);
      yield chunk;
    }
  }

  /** Whoever has the blob may send all of it, and how far that got is not known: all counts. */
  #lend({ blob }: Source, start: number, end: number): (() => Blob) | undefined {
    if (blob === undefined) return undefined;
    return () => {
      this.#handedOut = Math.max(this.#handedOut, end);
      return blob(start, end);
    };
  }

  #ask(id: string): Promise<Standing> {
    const { dialect, signal } = this.#parts;
    return this.#patience.persist(() => dialect.ask(id, signal));
  }

  /** Goes on from where the server says it is, if that can be true. */
  async #follow(standing: Standing): Promise<void> {
    const { offset } = standing;
    const { facts } = this.#parts;
    if (offset < this.#confirmed) {
      throw contradiction(`had ${this.#confirmed} bytes and now says ${offset}`);
    }
    if (offset > facts.length) {
      throw contradiction(`says it has ${offset} of ${facts.length} bytes`);
    }
    if (offset > this.#handedOut) await this.#checkForeign(standing);
    if (offset === this.#confirmed) return;
    this.#confirmed = offset;
    this.#patience.renew();
    this.#progress(offset);
  }

  /**
   * More than this process sent. In a resumed upload it may be what the process before it had still
   * under way; otherwise somebody else writes to the upload.
   */
  async #checkForeign(standing: Standing): Promise<void> {
    const { source, tools } = this.#parts;
    const known = this.#adopted && (await sameContent(source, standing, tools.crc32));
    if (!known) {
      throw contradiction(`says it has ${standing.offset} bytes but got ${this.#handedOut}`);
    }
    this.#handedOut = standing.offset;
  }

  #progress(sent: number): void {
    const { options, facts } = this.#parts;
    options.onProgress({ sent, confirmed: this.#confirmed, length: facts.length });
  }

  async #finish(id: string, handle: string): Promise<UploadResult> {
    const { options, dialect, signal, facts, tools, setState } = this.#parts;
    this.#confirmed = facts.length;
    this.#progress(facts.length);
    this.#patience.renew();
    await this.#remembrance.keep({ id, state: "complete", handle }, tools.clock.now());
    const { publish } = options;
    let fileId: string | undefined;
    if (publish !== undefined) {
      setState({ kind: "publishing", handle });
      fileId = await this.#patience.persist(() => dialect.publish(handle, publish, signal));
    }
    await this.#settle({ id, handle, fileId });
    const { total: retries } = this.#patience;
    return { handle, id, bytes: facts.length, resumedFrom: this.#resumedFrom, fileId, retries };
  }

  async #settle(done: { id: string; handle: string; fileId: string | undefined }): Promise<void> {
    if (!this.#parts.options.keepCompleted) {
      await this.#remembrance.forget();
    } else if (done.fileId !== undefined) {
      await this.#remembrance.keep({ ...done, state: "complete" }, this.#parts.tools.clock.now());
    }
  }
}

function contradiction(what: string): UploadError {
  return new UploadError("offset-contradiction", `the server ${what}`, {
    hint: "Is something else writing to the same upload? Start anew if in doubt.",
  });
}
