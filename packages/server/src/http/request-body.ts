import type { IncomingMessage } from "node:http";

import type { Body, BodyBatch, BodyEnding } from "../base/body.ts";
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { BodyWatch, WatchedBody } from "./body-watch.ts";

/** Chunks beyond this number are joined: a vectored write has a bound on its pieces, too. */
const PIECES_MAX = 256;

export interface RequestBodyParts {
  readonly request: IncomingMessage;
  readonly announcedLength: number | undefined;
  readonly clock: Clock;
  readonly watch: BodyWatch;
  readonly sender: BodySender;
}

export interface BodySender {
  /** Called before the first byte is read; sends the interim answer that was asked for. */
  begin(): void;
}

const nothing: readonly Uint8Array[] = [];

/** A request's body, gathered while the bytes before are being written. */
export class RequestBody implements Body, WatchedBody {
  readonly announcedLength: number | undefined;
  readonly #parts: RequestBodyParts;
  readonly #pieces = new Pieces();
  readonly #pace: Pace;
  /** Whether anybody has asked for bytes; before that only a first read's worth is taken in. */
  #started = false;
  #listening = false;
  #paused = false;
  #received = 0;
  #ending: BodyEnding | undefined;
  #firstGatheredAt = 0;
  /** Who waits for the next batch; a promise and no more, because thousands wait for long. */
  #asked: ((batch: BodyBatch) => void) | undefined;
  #cancelLook: (() => void) | undefined;
  /** The batch before: its chunks were the caller's until it asked for more. */
  #given: readonly Uint8Array[] = nothing;
  #givenBytes = 0;

  constructor(parts: RequestBodyParts) {
    this.#parts = parts;
    this.announcedLength = parts.announcedLength;
    this.#pace = new Pace(parts.clock.monotonic());
    parts.watch.add(this);
  }

  get received(): number {
    return this.#received;
  }

  get isOver(): boolean {
    return this.#ending !== undefined;
  }

  next(): Promise<BodyBatch> {
    this.#start();
    this.#releaseGiven();
    return new Promise((resolve) => {
      this.#asked = resolve;
      this.#look();
    });
  }

  stop(): void {
    this.#end("stopped");
  }

  /** Nobody asks any more: what was gathered is let go. */
  discard(): void {
    this.stop();
    this.#releaseGiven();
    const { length } = this.#pieces;
    for (const chunk of this.#pieces.take()) release(chunk);
    this.#parts.watch.hold(-length);
  }

  /** Nothing more will come: the connection is lost, or what came was not HTTP. */
  cut(): void {
    this.#rescue();
    this.#end("cut");
  }

  check(now: number): void {
    if (!this.#started || this.#paused || this.#ending !== undefined) return;
    const verdict = this.#pace.judge(now, this.#received);
    if (verdict !== undefined) this.#end(verdict);
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.#ending !== undefined) return;
    this.#pace.begin(this.#parts.clock.monotonic());
    this.#parts.sender.begin();
    this.listen();
    if (this.#paused) this.#resume();
  }

  /**
   * Takes in what came with the head before anybody asks for it: once a connection is lost, Node
   * gives no more of it away, and what arrived counts.
   */
  listen(): void {
    if (this.#listening || this.#ending !== undefined) return;
    const { request } = this.#parts;
    if (request.destroyed && !request.readableEnded) {
      this.cut();
      return;
    }
    this.#listening = true;
    request.on("data", this.#onData);
    request.on("end", this.#onEnd);
    request.on("error", this.#onLost);
    request.on("close", this.#onLost);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#gather(chunk);
    const mayGather = this.#started && !this.#parts.watch.isFull;
    const most = mayGather ? limits.gatherBytesMax : limits.gatherEarlyBytesMax;
    if (this.#pieces.length >= most) this.#pause();
    const { length } = this.#pieces;
    const isFirst = length === chunk.length;
    const leavesTrickle = length - chunk.length < limits.trickleBytesMax && !this.#isTrickle;
    if (isFirst || leavesTrickle || this.#paused || length >= limits.batchBytes) this.#look();
  };

  /** A few bytes of a slow sender: they wait here rather than cost a write and an open file. */
  get #isTrickle(): boolean {
    return this.#pieces.length < limits.trickleBytesMax && !this.#parts.watch.isFull;
  }

  readonly #onEnd = (): void => {
    const whole =
      this.#parts.request.complete &&
      (this.announcedLength === undefined || this.announcedLength === this.#received);
    this.#end(whole ? "clean" : "cut");
  };

  readonly #onLost = (): void => {
    this.cut();
  };

  #gather(chunk: Buffer): void {
    const now = this.#parts.clock.monotonic();
    if (this.#pieces.length === 0) this.#firstGatheredAt = now;
    this.#received += chunk.length;
    this.#pieces.add(chunk);
    this.#parts.watch.hold(chunk.length);
    this.#pace.heard(now);
  }

  /** Answers who waits as soon as there is a batch worth writing, or nothing more to wait for. */
  readonly #look = (): void => {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    const asked = this.#asked;
    if (asked === undefined) return;
    const leftMs = this.#leftMs();
    if (leftMs <= 0) {
      this.#asked = undefined;
      asked(this.#take());
    } else if (leftMs < Infinity) {
      // Timers are whole milliseconds and may fire early: then this looks again.
      this.#cancelLook = this.#parts.clock.after(Math.max(1, Math.ceil(leftMs)), this.#look);
    }
  };

  /** How long whoever asked must still wait; nobody can say while nothing is here. */
  #leftMs(): number {
    const { length } = this.#pieces;
    if (this.#ending !== undefined || length >= limits.batchBytes) return 0;
    if (length === 0) return Infinity;
    if (this.#paused) return 0;
    return (this.#isTrickle ? limits.trickleCheckpointMs : limits.gatherMsMax) - this.#waitedMs();
  }

  #waitedMs(): number {
    return this.#parts.clock.monotonic() - this.#firstGatheredAt;
  }

  #releaseGiven(): void {
    for (const chunk of this.#given) release(chunk);
    this.#given = nothing;
    this.#parts.watch.hold(-this.#givenBytes);
    this.#givenBytes = 0;
  }

  #take(): BodyBatch {
    const { length } = this.#pieces;
    if (length === 0) return { kind: "end", ending: this.#ending ?? "cut" };
    const waitedMs = this.#waitedMs();
    const chunks = this.#pieces.take();
    this.#given = chunks;
    this.#givenBytes = length;
    if (this.#paused && this.#ending === undefined) this.#resume();
    return { kind: "bytes", chunks, length, waitedMs };
  }

  #resume(): void {
    this.#paused = false;
    this.#pace.resumed(this.#parts.clock.monotonic());
    this.#parts.request.resume();
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#pace.paused(this.#parts.clock.monotonic());
    this.#parts.request.pause();
  }

  /** What the stream had taken from the socket while we paused did arrive, so it counts. */
  #rescue(): void {
    if (!this.#listening || this.#ending !== undefined) return;
    const { request } = this.#parts;
    request.off("data", this.#onData);
    for (;;) {
      const chunk: unknown = request.read();
      if (!Buffer.isBuffer(chunk)) return;
      this.#gather(chunk);
    }
  }

  #end(ending: BodyEnding): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    const { request, watch } = this.#parts;
    watch.delete(this);
    if (this.#listening) {
      request.off("data", this.#onData);
      request.off("end", this.#onEnd);
      request.off("close", this.#onLost);
      // The listener for errors stays: one that comes late must not become an exception.
      if (ending !== "clean" && !request.destroyed) request.pause();
    }
    this.#look();
  }
}

/**
 * Gives the memory of a written chunk back at once. Left to the garbage collector, 64 MiB of them
 * set off a full collection each, which cost more than all else that is done with the bytes.
 */
function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0);
}

/** Gathered chunks in order; many tiny ones are joined, or each would cost more than its bytes. */
class Pieces {
  #chunks: Buffer[] = [];
  /** How many of the chunks, from the first, are of many each. */
  #joined = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    this.#length += chunk.length;
    this.#chunks.push(chunk);
    if (this.#chunks.length - this.#joined < PIECES_MAX) return;
    this.#chunks.push(Buffer.concat(this.#chunks.splice(this.#joined)));
    this.#joined += 1;
  }

  take(): readonly Buffer[] {
    const all = this.#chunks;
    this.#chunks = [];
    this.#joined = 0;
    this.#length = 0;
    return all.length > PIECES_MAX ? [Buffer.concat(all)] : all;
  }
}

/** How fast a sender is. Time in which we did not read is not held against it. */
class Pace {
  #heardAt: number;
  #pausedAt: number | undefined;
  #windowFrom: number;
  #windowBytes = 0;

  constructor(now: number) {
    this.#heardAt = now;
    this.#windowFrom = now;
  }

  begin(now: number): void {
    this.#heardAt = now;
    this.#windowFrom = now + limits.leastRateGraceMs;
  }

  heard(now: number): void {
    this.#heardAt = now;
  }

  paused(now: number): void {
    this.#pausedAt = now;
  }

  resumed(now: number): void {
    this.#windowFrom += now - (this.#pausedAt ?? now);
    this.#pausedAt = undefined;
    this.#heardAt = now;
  }

  judge(now: number, received: number): "silent" | "slow" | undefined {
    if (now - this.#heardAt >= limits.bodySilentMsMax) return "silent";
    const elapsed = now - this.#windowFrom;
    if (elapsed < limits.leastRateWindowMs) return undefined;
    const least = (limits.leastRateBytesPerSecond * elapsed) / 1_000;
    if (received - this.#windowBytes < least) return "slow";
    this.#windowFrom = now;
    this.#windowBytes = received;
    return undefined;
  }
}
