import {
  UploadError,
  type AnyUploadErrorCase,
  uploadError,
} from "../../../packages/server/src/base/errors.ts";
import type { CompletionRule, Upload } from "../../../packages/server/src/catalog/records.ts";
import { append, type AppendRequest } from "../../../packages/server/src/engine/append.ts";
import type { ExpectedDigest } from "../../../packages/server/src/engine/body-digest.ts";
import { cancel } from "../../../packages/server/src/engine/cancel.ts";
import { createUpload } from "../../../packages/server/src/engine/create.ts";
import { findUpload } from "../../../packages/server/src/engine/look-up.ts";
import type { EngineParts } from "../../../packages/server/src/engine/parts.ts";
import { digestOf, endOf, isProven, mayComplete, sentBytes, type Attempt } from "./attempt.ts";
import type { Chance } from "./chance.ts";
import type { KnownUpload, Model } from "./model.ts";
import type { Action, PlannedBody, PlannedDigest, PlannedWords } from "./schedule.ts";
import { SimulatedBody } from "./simulated-body.ts";
import type { SimulatedTime } from "./simulated-time.ts";
import { InjectedError } from "./weather.ts";

export const appId = "1001";

export interface SendersParts {
  readonly model: Model;
  readonly time: SimulatedTime;
  readonly chance: Chance;
  readonly note: (what: string) => void;
  /** A writer may be superseded at any moment, without being asked. */
  readonly unasked: boolean;
  /** Around what the engine is asked. */
  readonly request?: ((request: AppendRequest) => AppendRequest) | undefined;
}

/** What one append sends and says. */
interface Sending {
  readonly attempt: Attempt;
  readonly length: number | undefined;
  readonly digest: ExpectedDigest | undefined;
}

/** Those who send, ask and cancel, and who hold the program to what it told them. */
export class Senders {
  readonly #parts: SendersParts;
  readonly #bodies = new Set<SimulatedBody>();
  #attempts = 0;
  /** Requests that were sent and not answered yet. */
  unanswered = 0;

  constructor(parts: SendersParts) {
    this.#parts = parts;
  }

  /** The process is gone, and with it every request. */
  forget(): void {
    this.#bodies.clear();
    this.unanswered = 0;
  }

  /** As a server that stops in order does. */
  stopBodies(): void {
    for (const body of this.#bodies) body.stop();
  }

  async create(engine: EngineParts, known: KnownUpload, lifetimeMs: number): Promise<void> {
    await this.#request("create", async () => {
      await createUpload(engine, {
        id: known.id,
        app: {
          id: appId,
          lengthMax: 1e12,
          lifetimeMs,
          contentPolicy: "off",
          roomBytesMax: undefined,
        },
        userId: "42",
        name: "name",
        type: "video/mp4",
        length: known.length,
        protocol: "graph",
        creation: "",
        completes: known.rule,
      });
      known.toldCreated = true;
    });
  }

  async status(engine: EngineParts, known: KnownUpload): Promise<Upload | undefined> {
    return this.#request("status", async () => {
      const before = known.told;
      const upload = await findUpload(engine, known.id, appId);
      this.#parts.model.tell(known, upload.offset, before);
      this.#parts.model.tellLength(known, upload.length);
      return upload;
    });
  }

  async cancel(engine: EngineParts, known: KnownUpload): Promise<void> {
    await this.#request("cancel", async () => {
      await cancel(engine, known.id);
      known.toldCancelled = true;
    });
  }

  async append(
    engine: EngineParts,
    known: KnownUpload,
    action: Omit<Extract<Action, { kind: "append" }>, "atMs" | "upload" | "kind">,
  ): Promise<void> {
    if (action.asks) await this.status(engine, known);
    const start = Math.max(0, known.told + action.besideBytes);
    const { attempt, length, digest } = this.#attempt(known, start, action);
    const { body, completes } = attempt;
    this.#parts.note(
      `append ${attempt.number} at ${start}, announced ${body.announcedLength}, ${completes}, ` +
        `length ${length}, digest ${attempt.digest}`,
    );
    this.#bodies.add(body);
    this.unanswered += 1;
    const authorise = (): Promise<void> =>
      action.isRevoked
        ? Promise.reject(uploadError("token_invalid", { problem: "revoked" }))
        : Promise.resolve();
    try {
      const asked = { id: known.id, offset: start, body, authorise, completes, length, digest };
      const upload = await append(engine, this.#parts.request?.(asked) ?? asked);
      this.#parts.note(`append ${attempt.number} ok ${upload.offset} ${upload.state}`);
      this.#succeeded(known, attempt, upload);
    } catch (error) {
      this.#parts.note(`append ${attempt.number} failed ${String(error)}`);
      this.#failed(known, attempt, error);
    }
    this.unanswered -= 1;
    this.#bodies.delete(body);
  }

  #attempt(
    known: KnownUpload,
    start: number,
    { body: planned, words }: { readonly body: PlannedBody; readonly words: PlannedWords },
  ): Sending {
    const number = this.#attempts;
    this.#attempts += 1;
    const lengthBefore = known.length;
    const left = Math.max(0, (lengthBefore ?? known.meantLength) - start);
    // Where nobody has said a length yet, no byte is one too many.
    const excessBytes = lengthBefore === undefined ? 0 : planned.excessBytes;
    const lengths = fit({ ...planned, excessBytes }, left);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const announced = planned.ending === "clean" ? total : Math.min(total + 700, left);
    const announcedLength = planned.announces ? announced : undefined;
    const body = this.#body(planned, { number, start, lengths, announcedLength });
    const { completes, digest } = words;
    const length = saidLength(known, words);
    const attempt: Attempt = {
      number,
      uploadId: known.id,
      start,
      body,
      completes,
      declared: length ?? impliedLength(start, completes, announcedLength),
      // One that never comes matches nothing.
      digest: digest?.kind === "missing" ? "wrong" : digest?.kind,
      lengthBefore,
      toldBefore: known.told,
      faultsBefore: this.#parts.model.counts.faults,
    };
    known.attempts.push(attempt);
    const bytes = sentBytes(number, start, start + total);
    return { attempt, length, digest: digest === undefined ? undefined : wanted(digest, bytes) };
  }

  #body(
    { batches, ending }: PlannedBody,
    sent: {
      readonly number: number;
      readonly start: number;
      readonly lengths: readonly number[];
      readonly announcedLength: number | undefined;
    },
  ): SimulatedBody {
    const { time: clock, chance } = this.#parts;
    let position = sent.start;
    return new SimulatedBody({
      clock,
      chance,
      batches: sent.lengths.map((length, index) => {
        const bytes = sentBytes(sent.number, position, position + length);
        position += length;
        return { bytes, gapMs: batches[index]?.gapMs ?? 1 };
      }),
      announcedLength: sent.announcedLength,
      ending,
      endingGapMs: batches[0]?.gapMs ?? 0,
    });
  }

  #succeeded(known: KnownUpload, attempt: Attempt, upload: Upload): void {
    const { model } = this.#parts;
    const { body } = attempt;
    if (body.ending !== "clean") model.fail(`a body that ended ${body.ending} was a success`);
    const end = endOf(attempt);
    const { offset, state, length } = upload;
    if (offset !== end) model.fail(`a success ended at ${offset} and not at ${end}`);
    model.tellLength(known, length);
    const isComplete = state === "complete";
    // The repeat of a last request has nothing to bring and nothing to prove.
    const isRepeat = isComplete && body.deliveredBytes === 0;
    if (!isRepeat && attempt.digest === "wrong") model.fail("a wrong digest was a success");
    if (!isRepeat && isComplete !== isCompletedBy(attempt, upload, known.rule)) {
      model.fail(`at ${end} of ${String(length)} an upload was ${state}`);
    }
    if (isComplete && length !== end) model.fail(`complete at ${end} of ${String(length)}`);
    this.#own(known, attempt, offset);
    if (!isComplete) return;
    model.checkComplete(known, upload);
    known.toldComplete = true;
  }

  #failed(known: KnownUpload, attempt: Attempt, error: unknown): void {
    const { model } = this.#parts;
    const faults = model.counts.faults > attempt.faultsBefore;
    if (!(error instanceof UploadError)) {
      if (!this.#isExcused(error)) model.fail(`an append failed: ${String(error)}`);
      return;
    }
    const { code, facts } = error.detail;
    if (code === "superseded") model.counts.takeovers += 1;
    const offset = "offset" in facts ? facts.offset : undefined;
    if (offset === undefined) return;
    if (code === "offset_mismatch" || code === "upload_damaged") {
      model.tell(known, offset, attempt.toldBefore);
      return;
    }
    if (code === "digest_mismatch") {
      model.counts.mismatches += 1;
      if (attempt.digest !== "wrong") model.fail("a digest did not match that is right");
    }
    this.#own(known, attempt, offset);
    if (faults || this.#parts.unasked || !keepsPrefix.has(code)) return;
    const kept = keptOffsets(known, attempt);
    if (!kept.includes(offset)) {
      model.fail(`${code} told ${offset} where ${kept.join(" or ")} was received`);
    }
  }

  /** The program says that the attempt's own bytes are durable up to the offset. */
  #own(known: KnownUpload, attempt: Attempt, offset: number): void {
    const { model } = this.#parts;
    model.tell(known, offset, attempt.toldBefore);
    const { start, number } = attempt;
    if (offset <= start) return;
    if (!isProven(attempt)) model.fail("bytes were acknowledged that no digest has proven");
    if (!known.bytes.subarray(start, offset).equals(sentBytes(number, start, offset))) {
      model.fail(`bytes ${start} to ${offset} were acknowledged to one and are another's`);
    }
  }

  /** Only what was injected may reach a sender as anything but a reasoned refusal. */
  #isExcused(error: unknown): boolean {
    return error instanceof InjectedError || this.#parts.model.counts.faults > 0;
  }

  async #request<Result>(what: string, work: () => Promise<Result>): Promise<Result | undefined> {
    this.unanswered += 1;
    try {
      return await work();
    } catch (error) {
      this.#parts.note(`${what} failed ${String(error)}`);
      if (!(error instanceof UploadError) && !this.#isExcused(error)) {
        this.#parts.model.fail(`${what} failed: ${String(error)}`);
      }
      return undefined;
    } finally {
      this.unanswered -= 1;
    }
  }
}

/** Whether a success that ended where it did is to have completed the upload. */
function isCompletedBy(attempt: Attempt, upload: Upload, rule: CompletionRule): boolean {
  if (attempt.completes === "at_end") return true;
  return upload.length === endOf(attempt) && mayComplete(attempt, rule);
}

/**
 * Everything that came counts, but for the last byte, which completes, and what a digest would have
 * had to prove. The length may have become known between the sending and the taking.
 */
function keptOffsets(known: KnownUpload, attempt: Attempt): readonly number[] {
  const { start, digest, lengthBefore, declared } = attempt;
  if (digest !== undefined) return [start];
  const lengths = new Set([lengthBefore ?? declared, known.length]);
  return [...lengths].map((length = Infinity) =>
    Math.max(start, Math.min(endOf(attempt), length - 1)),
  );
}

/** The length as an append says it outright. */
function saidLength(known: KnownUpload, { lengthBeside }: PlannedWords): number | undefined {
  if (lengthBeside === undefined) return undefined;
  return Math.max(0, (known.length ?? known.meantLength) + lengthBeside);
}

/** The length as it follows from where a body that ends the upload will end. */
function impliedLength(
  start: number,
  completes: PlannedWords["completes"],
  announcedLength: number | undefined,
): number | undefined {
  if (completes !== "at_end" || announcedLength === undefined) return undefined;
  return start + announcedLength;
}

function wanted({ algorithm, kind }: PlannedDigest, bytes: Buffer): ExpectedDigest {
  if (kind === "missing") return { algorithm, expected: () => undefined };
  const digest = digestOf(algorithm, bytes);
  if (kind === "wrong") digest.writeUInt8(digest.readUInt8(0) ^ 1, 0);
  return { algorithm, expected: () => digest };
}

const keepsPrefix = new Set<AnyUploadErrorCase["code"]>([
  "body_cut",
  "body_too_slow",
  "draining",
  "superseded",
]);

/** The lengths of the batches: those planned, as far as the upload has room for them. */
function fit(planned: PlannedBody, left: number): number[] {
  const lengths: number[] = [];
  let rest = left;
  for (const { bytes } of planned.batches) {
    const length = Math.min(bytes, rest);
    if (length > 0) lengths.push(length);
    rest -= length;
  }
  if (planned.fills && rest > 0) lengths.push(rest);
  if (planned.excessBytes > 0 && (planned.fills || rest === 0)) lengths.push(planned.excessBytes);
  return lengths;
}
