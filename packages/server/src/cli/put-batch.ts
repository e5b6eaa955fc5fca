import { basename } from "node:path";
import type { NodeInput, Platform, Source, StandardDialect } from "hawser-client";
import type { StandardUploadOptions, Transport, UploadOptions, UploadResult } from "hawser-client";
import { nodePlatform, spoolSource, upload } from "hawser-client";
import { formatBytes } from "./amounts.ts";
import type { ExitCode } from "./exit-codes.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Failure } from "./failure.ts";
import { describeFailure } from "./failure.ts";
import type { Found } from "./found-files.ts";
import type { FileDisplay, PutDisplay, ShownFile } from "./put-display.ts";
import type { TallyKeeper } from "./put-tally.ts";
import type { Target } from "./target.ts";
import { openResumeStore } from "./target.ts";

export interface PutSettings {
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  readonly publish?: boolean | undefined;
  readonly fresh?: boolean | undefined;
  /** What to speak, unless it is Graph. */
  readonly dialect?: StandardDialect | undefined;
  /** Files at the same time. */
  readonly parallel: number;
  /** Tries again without progress. */
  readonly retries: number;
  /** Bytes of standard input. */
  readonly stdinMax: number;
}

export interface PutParts {
  readonly target: Target;
  readonly settings: PutSettings;
  readonly display: PutDisplay;
  readonly tally: TallyKeeper;
  readonly transport: Transport;
  readonly signal: AbortSignal;
}

/** Uploads what was found, several files at a time; one that fails does not stop the others. */
export class PutBatch {
  readonly #parts: PutParts;
  readonly #failures: ExitCode[] = [];
  #done = 0;

  constructor(parts: PutParts) {
    this.#parts = parts;
  }

  /** How the command ends. */
  async run(found: readonly Found[]): Promise<ExitCode> {
    const { settings, signal, display } = this.#parts;
    if (found.length === 0) display.note("There is nothing to upload.");
    const queue = found.values();
    const work = async () => {
      for (const one of queue) {
        if (signal.aborted) {
          this.#failures.push(exitCodes.interrupted);
          return;
        }
        await this.#put(one);
      }
    };
    await Promise.all(Array.from({ length: Math.min(settings.parallel, found.length) }, work));
    return this.#conclude();
  }

  async #put(found: Found): Promise<void> {
    const { display, settings, tally } = this.#parts;
    if (found.kind === "skipped") {
      tally.skipped();
      display.skipped(found.file, found.reason);
      return;
    }
    const shown = shownFile(found, settings.name);
    const view = display.begin(shown);
    if (found.kind === "unreadable") {
      this.#failed(view, describeFailure(found.error));
      return;
    }
    try {
      const result = await (found.kind === "input"
        ? this.#uploadInput(shown.name, view)
        : this.#uploadFile(found.file, view));
      this.#done += 1;
      tally.done(result);
      view.done(result);
    } catch (error) {
      this.#failed(view, describeFailure(error));
    }
  }

  #failed(view: FileDisplay, failure: Failure): void {
    this.#failures.push(failure.exitCode);
    if (failure.exitCode !== exitCodes.interrupted) this.#parts.tally.failed();
    view.failed(failure);
  }

  #uploadFile(file: string, view: FileDisplay): Promise<UploadResult> {
    const platform = { ...nodePlatform, transport: this.#parts.transport };
    const memory = { resumeStore: openResumeStore(), keepCompleted: true };
    return upload(file, { ...this.#options(view), ...memory }, platform).result;
  }

  /** Nothing is remembered of standard input: another run could not read the same bytes again. */
  async #uploadInput(name: string, view: FileDisplay): Promise<UploadResult> {
    const { display, settings, transport, signal } = this.#parts;
    const bytesMax = settings.stdinMax;
    display.note(
      `Standard input goes to a temporary file first: its length must be known (--stdin-max ` +
        `${formatBytes(bytesMax)}). It cannot be gone on with by another run.`,
    );
    const { crc32 } = nodePlatform;
    const source = await spoolSource(process.stdin, crc32, { name, bytesMax, signal }).finally(
      // Somebody who still writes to it would otherwise keep this process alive.
      () => process.stdin.destroy(),
    );
    // The upload closes what it opens, and this is open already.
    return upload("-", this.#options(view), { ...openedAs(source), transport }).result;
  }

  #options(view: FileDisplay): UploadOptions | StandardUploadOptions {
    const { target, settings, signal } = this.#parts;
    const { name, type, publish, fresh, retries, dialect } = settings;
    const shared = {
      ...{ name, type, fresh, signal },
      retry: { attempts: retries + 1 },
      onProgress: view.progress,
      onState: view.state,
      onWarning: view.warning,
    };
    if (dialect === undefined) return { ...shared, ...target, publish };
    const { url, token } = target;
    return { ...shared, dialect, url, token: token === "" ? undefined : token };
  }

  #conclude(): ExitCode {
    const [first] = this.#failures;
    if (first === undefined) return exitCodes.ok;
    if (this.#failures.includes(exitCodes.interrupted)) return exitCodes.interrupted;
    if (this.#done > 0) return exitCodes.someFailed;
    return this.#failures.every((code) => code === first) ? first : exitCodes.failed;
  }
}

function shownFile(found: Exclude<Found, { kind: "skipped" }>, name: string | undefined) {
  const shown: ShownFile =
    found.kind === "input"
      ? { file: "-", label: name ?? "stdin", name: name ?? "stdin" }
      : { file: found.file, label: labelOf(found, name), name: name ?? basename(found.file) };
  return shown;
}

function labelOf(found: Exclude<Found, { kind: "skipped" | "input" }>, name: string | undefined) {
  return found.kind === "file" ? (name ?? found.label) : found.file;
}

function openedAs(source: Source): Platform<NodeInput> {
  return { ...nodePlatform, openSource: () => Promise.resolve(source) };
}
