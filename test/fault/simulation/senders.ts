import {
  UploadError,
  type AnyUploadErrorCase,
  uploadError,
} from "../../../packages/server/src/base/errors.ts";
import type { Upload } from "../../../packages/server/src/catalog/records.ts";
import { append } from "../../../packages/server/src/engine/append.ts";
import { cancel } from "../../../packages/server/src/engine/cancel.ts";
import { createUpload } from "../../../packages/server/src/engine/create.ts";
import { findUpload } from "../../../packages/server/src/engine/look-up.ts";
import type { EngineParts } from "../../../packages/server/src/engine/parts.ts";
import { sentBytes, type Attempt } from "./attempt.ts";
import type { Chance } from "./chance.ts";
import type { KnownUpload, Model } from "./model.ts";
import type { Action, PlannedBody } from "./schedule.ts";
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
        length: known.bytes.length,
        protocol: "graph",
        creation: "",
        completes: "at_length",
      });
      known.toldCreated = true;
    });
  }

  async status(engine: EngineParts, known: KnownUpload): Promise<Upload | undefined> {
    return this.#request("status", async () => {
      const before = known.told;
      const upload = await findUpload(engine, known.id, appId);
      this.#parts.model.tell(known, upload.offset, before);
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
    const attempt = this.#attempt(known, start, action.body);
    const { body } = attempt;
    this.#parts.note(`append ${attempt.number} at ${start}, announced ${body.announcedLength}`);
    this.#bodies.add(body);
    this.unanswered += 1;
    const authorise = (): Promise<void> =>
      action.isRevoked
        ? Promise.reject(uploadError("token_invalid", { problem: "revoked" }))
        : Promise.resolve();
    try {
      const upload = await append(engine, { id: known.id, offset: start, body, authorise });
      this.#parts.note(`append ${attempt.number} ok ${upload.offset} ${upload.state}`);
      this.#succeeded(known, attempt, upload);
    } catch (error) {
      this.#parts.note(`append ${attempt.number} failed ${String(error)}`);
      this.#failed(known, attempt, error);
    }
    this.unanswered -= 1;
    this.#bodies.delete(body);
  }

  #attempt(known: KnownUpload, start: number, planned: PlannedBody): Attempt {
    const { time: clock, chance, model } = this.#parts;
    const number = this.#attempts;
    this.#attempts += 1;
    const left = Math.max(0, known.bytes.length - start);
    const lengths = fit(planned, left);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const announced = planned.ending === "clean" ? total : Math.min(total + 700, left);
    let position = start;
    const batches = lengths.map((length, index) => {
      const bytes = sentBytes(number, position, position + length);
      position += length;
      return { bytes, gapMs: planned.batches[index]?.gapMs ?? 1 };
    });
    const body = new SimulatedBody({
      clock,
      chance,
      batches,
      announcedLength: planned.announces ? announced : undefined,
      ending: planned.ending,
      endingGapMs: planned.batches[0]?.gapMs ?? 0,
    });
    const toldBefore = known.told;
    const faultsBefore = model.counts.faults;
    const attempt = { number, uploadId: known.id, start, body, toldBefore, faultsBefore };
    known.attempts.push(attempt);
    return attempt;
  }

  #succeeded(known: KnownUpload, attempt: Attempt, upload: Upload): void {
    const { model } = this.#parts;
    const { body, start } = attempt;
    if (body.ending !== "clean") model.fail(`a body that ended ${body.ending} was a success`);
    const end = start + body.deliveredBytes;
    if (upload.offset !== end) model.fail(`a success ended at ${upload.offset} and not at ${end}`);
    const isWhole = end === known.bytes.length;
    if (isWhole !== (upload.state === "complete")) {
      model.fail(`at ${end} of ${known.bytes.length} an upload was ${upload.state}`);
    }
    this.#own(known, attempt, upload.offset);
    if (!isWhole) return;
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
    this.#own(known, attempt, offset);
    if (faults || this.#parts.unasked || !keepsPrefix.has(code)) return;
    // Everything that came counts, but for the last byte, which completes.
    const { start, body } = attempt;
    const kept = Math.min(start + body.deliveredBytes, known.bytes.length - 1);
    if (offset !== kept && start < known.bytes.length) {
      model.fail(`${code} told ${offset} where ${kept} was received`);
    }
  }

  /** The program says that the attempt's own bytes are durable up to the offset. */
  #own(known: KnownUpload, attempt: Attempt, offset: number): void {
    const { model } = this.#parts;
    model.tell(known, offset, attempt.toldBefore);
    const { start, number } = attempt;
    if (offset <= start) return;
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
