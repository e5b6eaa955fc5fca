import type { Dialect, UploadFacts } from "./dialects/dialect.ts";
import { GraphClient } from "./dialects/graph-client.ts";
import { GraphDialect } from "./dialects/graph.ts";
import { asUploadError, UploadError } from "./errors.ts";
import { checkName } from "./option-checks.ts";
import type { ParsedOptions } from "./options.ts";
import type { Platform } from "./platform/platform.ts";
import { UploadRun } from "./run.ts";
import type { Source } from "./sources/source.ts";
import type { UploadResult, UploadState } from "./state.ts";
import { warningsOf } from "./warnings.ts";

const cancelMs = 15_000;

/**
 * An upload under way. Await it, or its `result`, for the {@link UploadResult}; a failure rejects
 * with an `UploadError`.
 */
export class UploadTask implements PromiseLike<UploadResult> {
  readonly result: Promise<UploadResult>;
  readonly #options: ParsedOptions;
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  #state: UploadState = { kind: "waiting" };
  #run: UploadRun | undefined;

  private constructor(options: ParsedOptions, start: (task: UploadTask) => Promise<UploadResult>) {
    const own = this.#controller.signal;
    this.#options = options;
    this.#signal = options.signal === undefined ? own : AbortSignal.any([own, options.signal]);
    this.result = start(this);
  }

  /** Begins at once. */
  static begin<Input>(input: Input, options: ParsedOptions, platform: Platform<Input>): UploadTask {
    return new UploadTask(options, (task) => task.#settle(input, platform));
  }

  get state(): UploadState {
    return this.#state;
  }

  /** Stops; what the server has stays there, and the upload can be resumed. */
  abort(): void {
    this.#controller.abort(new UploadError("aborted", "stopped"));
  }

  /** Stops and gives the upload up on the server as well. Resolves when that is done. */
  async cancel(): Promise<void> {
    this.#controller.abort(new UploadError("cancelled", "the upload was cancelled"));
    await this.result.catch(() => undefined);
    await this.#run?.giveUp(AbortSignal.timeout(cancelMs));
  }

  then<Value = UploadResult, Failure = never>(
    onDone?: ((result: UploadResult) => Value | PromiseLike<Value>) | null,
    onFailed?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    return this.result.then(onDone, onFailed);
  }

  async #settle<Input>(input: Input, platform: Platform<Input>): Promise<UploadResult> {
    try {
      const result = await this.#upload(input, platform);
      this.#setState({ kind: "done", result });
      return result;
    } catch (thrown) {
      const error = this.#explain(thrown);
      this.#setState(endState(error));
      throw error;
    }
  }

  async #upload<Input>(input: Input, platform: Platform<Input>): Promise<UploadResult> {
    const source = await platform.openSource(input);
    try {
      const options = this.#options;
      const facts = factsOf(source, options);
      for (const warning of warningsOf(facts, source.contentType, options.connection)) {
        options.onWarning(warning);
      }
      const dialect: Dialect = new GraphDialect(
        new GraphClient(options.connection, platform.transport),
      );
      const setState = (state: UploadState) => {
        this.#setState(state);
      };
      const signal = this.#signal;
      const parts = { source, facts, options, dialect, tools: platform, signal, setState };
      this.#run = new UploadRun(parts);
      return await this.#run.run();
    } finally {
      await source.close();
    }
  }

  #explain(thrown: unknown): UploadError {
    const error = asUploadError(thrown);
    if (!this.#signal.aborted) return error;
    const reason: unknown = this.#signal.reason;
    return reason instanceof UploadError ? reason : new UploadError("aborted", "stopped");
  }

  #setState(state: UploadState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}

function endState(error: UploadError): UploadState {
  if (error.code === "aborted" || error.code === "cancelled") return { kind: error.code };
  return { kind: "failed", error };
}

function factsOf(source: Source, options: ParsedOptions): UploadFacts {
  if (source.length === 0) {
    throw new UploadError("invalid-option", "the file is empty", {
      hint: "The service takes files of 1 byte or more.",
    });
  }
  return {
    name: options.name ?? checkName(source.name ?? "upload"),
    type: options.type ?? source.type ?? "application/octet-stream",
    length: source.length,
  };
}
