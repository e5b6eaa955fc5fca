import type { Body, BodyBatch, BodyEnding } from "../base/body.ts";
import { crc32, crc32OfRuns } from "../base/crc32.ts";
import { UploadError, asError, uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Appender, Checkpoint, CheckpointScope } from "../blobs/blob-store.ts";
import { CatalogFullError, type AdvanceEnding } from "../catalog/catalog.ts";
import type { Extent, Upload } from "../catalog/records.ts";
import { completesAt, declaredLength, type LengthWords } from "./append-length.ts";
import { BodyDigest, type ExpectedDigest } from "./body-digest.ts";
import { CheckpointPolicy } from "./checkpoint-policy.ts";
import { endingOf, endsWhole, readHead, rejectionOf } from "./complete.ts";
import { ContentHead } from "./content-head.ts";
import { mergeExtents, newKeys, openAppender } from "./extents.ts";
import type { WriterWord } from "./activity.ts";
import type { Lease } from "./lease.ts";
import type { EngineParts } from "./parts.ts";

/** What a run needs of its request. */
export interface RunRequest extends LengthWords {
  readonly authorise: () => Promise<void>;
  readonly digest?: ExpectedDigest | undefined;
  readonly sha256?: string | undefined;
  readonly onDurable?: ((offset: number) => void) | undefined;
  readonly dialect?: string;
}

interface Consumed {
  readonly ending: BodyEnding;
  readonly upload: Upload;
}

/**
 * One append from its first byte to its last commit. The batch that would reach the length waits
 * until its body has ended: a body that is cut or too long leaves a prefix and completes nothing.
 */
export class AppendRun {
  readonly #parts: EngineParts;
  readonly #lease: Lease;
  readonly #request: RunRequest;
  readonly #policy: CheckpointPolicy;
  readonly #writer: WriterWord;
  #upload: Upload;
  #extents: Extent[] = [];
  #appender: Appender | undefined;
  /** The checkpoint in flight, if any; never rejects: its error is kept for the next step. */
  #checkpointing: Promise<void> | undefined;
  #failure: Error | undefined;
  /** The first bytes, until all of them are durable; then they are read again when needed. */
  #head: ContentHead | undefined;
  #headJudged = false;
  /** While it is here nothing of this request counts: it must match first. */
  #unproven: BodyDigest | undefined;
  /** Keys that were in no commit but the last, which had no room: it changed nothing. */
  #refused: string[] = [];
  /** A length that this request brought and no commit has carried yet. */
  #declared: number | undefined;
  /** The same of the digest of the whole. */
  #declaredSha256: string | undefined;

  constructor(parts: EngineParts, lease: Lease, request: RunRequest) {
    this.#parts = parts;
    this.#lease = lease;
    this.#request = request;
    this.#policy = new CheckpointPolicy(parts.blobs.properties.checkpointMsMin);
    const { upload } = lease;
    const { digest, dialect, sha256 } = request;
    if (digest !== undefined) this.#unproven = new BodyDigest(digest);
    if (upload.length === undefined) this.#declared = declaredLength(request);
    if (upload.sha256 === undefined) this.#declaredSha256 = sha256;
    const length = upload.length ?? this.#declared;
    this.#upload = { ...upload, length, sha256: upload.sha256 ?? sha256 };
    this.#head = upload.offset < limits.sniffBytes ? new ContentHead() : undefined;
    this.#writer = parts.activity.begin({ id: upload.id, position: upload.offset, dialect });
  }

  async consume(body: Body): Promise<Consumed> {
    try {
      const { lengthMax, offset, blobId } = this.#upload;
      const length = this.#upload.length ?? lengthMax;
      if (offset > 0) this.#extents = await this.#parts.catalog.listExtents(blobId);
      await this.#takeUpHead();
      let position = offset;
      for (let batch = await this.#next(body); ; batch = await this.#next(body)) {
        if (batch.kind === "end") return await this.#end(batch.ending, position);
        this.#writer.received(batch.length);
        this.#unproven?.update(batch.chunks);
        if (this.#unproven?.isTooLong === true) {
          throw uploadError("unproven_too_long", { offset, bytesMax: limits.unprovenBytesMax });
        }
        if (position + batch.length >= length) {
          return await this.#reachLength(body, batch.chunks, length - position);
        }
        await this.#write(batch.chunks, batch);
        position += batch.length;
      }
    } catch (error) {
      throw this.#whereToGoOn(error);
    } finally {
      await this.#checkpointing;
      await this.#appender?.close();
      await this.#removeRefused();
      this.#writer.end();
    }
  }

  /** Nobody will ask for them again: they would keep a full volume full. */
  async #removeRefused(): Promise<void> {
    if (this.#refused.length === 0 || this.#parts.blobs.properties.needsEpochs) return;
    // What is not removed now is set aside at the next start.
    await this.#parts.blobs.remove(this.#refused).catch(() => undefined);
  }

  /** The next batch; meanwhile what waits too long is made durable. */
  #next(body: Body): Promise<BodyBatch> {
    const waitMs = this.#policy.waitMs(this.#parts.clock.monotonic());
    if (waitMs === undefined || this.#unproven !== undefined) return body.next();
    let isWaiting = true;
    const cancel = this.#parts.clock.after(waitMs, () => {
      void this.#checkpointWhile(() => isWaiting);
    });
    return body.next().finally(() => {
      isWaiting = false;
      cancel();
    });
  }

  /** After the one in flight, which may have begun before the last bytes were written. */
  async #checkpointWhile(isWaiting: () => boolean): Promise<void> {
    await this.#checkpointing;
    if (isWaiting()) this.#startCheckpoint("everything");
  }

  async #write(
    chunks: readonly Uint8Array[],
    { length, waitedMs }: { readonly length: number; readonly waitedMs: number },
  ): Promise<void> {
    await this.#store(chunks);
    this.#policy.written(length, this.#parts.clock.monotonic() - waitedMs);
    if (this.#policy.isDue) this.#startCheckpoint("whole_parts");
  }

  async #store(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#head?.keep(chunks);
    await this.#refuseWrongContent();
    try {
      await this.#parts.room.admit(this.#upload.offset);
      this.#appender ??= await openAppender(this.#parts, {
        lease: this.#lease,
        upload: this.#upload,
        extents: this.#extents,
        isUnproven: () => this.#unproven !== undefined,
      });
      await this.#appender.write(chunks);
    } catch (error) {
      // What fitted is made durable before the sender is told where to go on.
      if (isNoRoom(error)) await this.#checkpoint(undefined);
      if (isStorageFailure(error)) await this.#checkpoint(undefined).catch(() => undefined);
      throw error;
    }
  }

  /** `left` is what the upload still lacks; the chunks hold at least that much. */
  async #reachLength(body: Body, chunks: readonly Uint8Array[], left: number): Promise<Consumed> {
    const whole = Buffer.concat(chunks);
    const next = whole.length > left ? undefined : await body.next();
    if (next?.kind === "end" && next.ending === "clean") return await this.#endWith(whole);
    body.stop();
    // Nothing is left of an upload that has all its bytes and was not told to be complete.
    const kept = whole.subarray(0, Math.max(0, left - 1));
    if (kept.length > 0) await this.#write([kept], { length: kept.length, waitedMs: 0 });
    await this.#checkpoint(undefined);
    if (next?.kind === "end") return { ending: next.ending, upload: this.#upload };
    const { offset, length, lengthMax } = this.#upload;
    throw uploadError("length_exceeded", { offset, length: length ?? lengthMax });
  }

  /** The body ended here, with nothing held back. */
  async #end(ending: BodyEnding, position: number): Promise<Consumed> {
    if (ending === "clean") {
      this.#prove();
      const { length } = this.#upload;
      if (completesAt(position, this.#request, this.#upload))
        return await this.#complete(undefined);
      await this.#checkpoint(undefined);
      if (this.#request.completes === "at_end" && length !== undefined) {
        const { offset } = this.#upload;
        throw uploadError("length_inconsistent", { offset, length, provided: position });
      }
    } else await this.#checkpoint(undefined);
    return { ending, upload: this.#upload };
  }

  /** The body ended with these bytes, and they reach the length. */
  async #endWith(last: Uint8Array): Promise<Consumed> {
    this.#prove();
    const { length, lengthMax } = this.#upload;
    const reached = length ?? lengthMax;
    if (completesAt(reached, this.#request, this.#upload)) return await this.#complete(last);
    await this.#write([last], { length: last.length, waitedMs: 0 });
    await this.#checkpoint(undefined);
    return { ending: "clean", upload: this.#upload };
  }

  /** From here on what this request brought counts. */
  #prove(): void {
    const unproven = this.#unproven;
    if (unproven?.matches() === false) {
      const { offset } = this.#upload;
      throw uploadError("digest_mismatch", { offset, algorithm: unproven.algorithm });
    }
    this.#unproven = undefined;
  }

  async #complete(last: Uint8Array | undefined): Promise<Consumed> {
    const { offset, sha256, length } = this.#upload;
    const isWhole = offset === 0 && this.#appender === undefined && sha256 === undefined;
    if (isWhole && last !== undefined && last.length <= limits.inlineBytesMax) {
      return await this.#completeInline(last);
    }
    await this.#request.authorise();
    // No checkpoint begins with the last byte: the one that ends the upload is the next.
    if (last !== undefined) await this.#store([last]);
    else if (this.#appender === undefined) await this.#refuseDamaged();
    // What is to be read back, to be judged as a whole, must be where it can be read.
    if (sha256 !== undefined) await this.#checkpoint(undefined);
    // A commit in flight carries the length as it was said when that began: this one is the next's.
    await this.#checkpointing;
    this.#declared ??= length === undefined ? (this.#appender?.position ?? offset) : undefined;
    await this.#checkpoint(await this.#ending());
    return { ending: "clean", upload: this.#upload };
  }

  async #refuseDamaged(): Promise<void> {
    if (await endsWhole(this.#parts, this.#upload, this.#extents)) return;
    throw uploadError("upload_damaged", { offset: this.#upload.offset });
  }

  async #completeInline(bytes: Uint8Array): Promise<Consumed> {
    await this.#request.authorise();
    await this.#parts.room.admit(0);
    this.#head?.keep([bytes]);
    const checksum = crc32(bytes);
    const extent = { key: "", start: 0, length: bytes.length, crc32: checksum, inline: bytes };
    this.#declared ??= this.#upload.length === undefined ? bytes.length : undefined;
    await this.#advance(bytes.length, { extents: [extent], replaced: [] }, await this.#ending());
    return { ending: "clean", upload: this.#upload };
  }

  /** The sender is told the offset that is committed, whatever kept the rest from it. */
  #whereToGoOn(error: unknown): unknown {
    const { offset } = this.#upload;
    if (isNoRoom(error)) {
      return uploadError("no_room", { offset }, { cause: error });
    }
    if (isStorageFailure(error)) {
      return uploadError("storage_failed", { offset }, { cause: error });
    }
    return error;
  }

  #ending(): Promise<AdvanceEnding> {
    const head = this.#head?.bytes() ?? new Uint8Array();
    return endingOf(this.#parts, this.#upload, { extents: this.#extents, head });
  }

  /** Judged as soon as enough is here to judge by: the rest would be sent for nothing. */
  async #refuseWrongContent(): Promise<void> {
    if (this.#headJudged || this.#upload.contentPolicy !== "reject") return;
    if (this.#unproven !== undefined || this.#head?.isFull !== true) return;
    this.#headJudged = true;
    const reason = rejectionOf(this.#parts, this.#upload, this.#head.bytes());
    if (reason === undefined) return;
    // What was written gets its row, without which nothing could ever remove it.
    await this.#checkpoint(undefined);
    const { id, blobId } = this.#upload;
    const at = this.#parts.clock.now();
    const ending = { id, blobId, fence: this.#lease.fence, reason, at };
    const outcome = await this.#parts.catalog.end({ ...ending, state: "rejected" });
    if (outcome === "stale") throw uploadError("superseded", { offset: this.#upload.offset });
    throw uploadError("content_rejected", { reason });
  }

  /** What an earlier request brought of it, too little to be judged by alone. */
  async #takeUpHead(): Promise<void> {
    const { offset, contentPolicy } = this.#upload;
    if (this.#head === undefined || offset === 0 || contentPolicy === "off") return;
    await this.#refuseDamaged();
    this.#head.keep([await readHead(this.#parts, this.#upload, this.#extents)]);
  }

  #startCheckpoint(scope: CheckpointScope): void {
    if (this.#checkpointing !== undefined || this.#failure !== undefined) return;
    if (this.#unproven !== undefined) return;
    this.#checkpointing = this.#commit(scope, undefined)
      .catch((error: unknown) => {
        this.#failure = asError(error);
      })
      .finally(() => {
        this.#checkpointing = undefined;
      });
  }

  /** Waits for the checkpoint in flight, then makes durable and commits all that was written. */
  async #checkpoint(ending: AdvanceEnding | undefined): Promise<void> {
    await this.#checkpointing;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#commit("everything", ending);
  }

  async #commit(scope: CheckpointScope, ending: AdvanceEnding | undefined): Promise<void> {
    if (this.#unproven !== undefined) return;
    const appender = this.#appender;
    if (appender === undefined) {
      if (ending === undefined && !this.#hasDeclared) return;
      await this.#advance(this.#upload.offset, { extents: [], replaced: [] }, ending);
      return;
    }
    const wanted = appender.position;
    const checkpoint = await appender.checkpoint(scope);
    const { to } = checkpoint;
    const now = this.#parts.clock.monotonic();
    this.#policy.checkpointed(checkpoint.syncMs, appender.position - to, now);
    const isShort = scope === "everything" && to < wanted;
    const isNews = ending !== undefined || this.#hasDeclared;
    if (to !== this.#upload.offset || isNews) {
      await this.#advance(to, checkpoint, isShort ? undefined : ending);
    }
    // Asked again, the appender says why it made less durable than it was asked to.
    if (isShort) await appender.checkpoint(scope);
  }

  get #hasDeclared(): boolean {
    return this.#declared !== undefined || this.#declaredSha256 !== undefined;
  }

  async #advance(
    to: number,
    { extents, replaced }: Pick<Checkpoint, "extents" | "replaced">,
    ending: AdvanceEnding | undefined,
  ): Promise<void> {
    const merged = mergeExtents(this.#extents, extents, replaced);
    const at = this.#parts.clock.now();
    const completion = ending?.state === "complete" ? ending.completion : undefined;
    const isAddition = extents.every(({ start }) => start >= this.#upload.offset);
    const advance = {
      to,
      at,
      crc32: isAddition ? crc32OfRuns(extents, this.#upload.crc32) : crc32OfRuns(merged),
      expiresAt: completion?.handleExpiresAt ?? at + this.#upload.lifetimeMs,
    };
    this.#refused = [];
    const committing = this.#parts.catalog.advance({
      ...advance,
      id: this.#upload.id,
      blobId: this.#upload.blobId,
      fence: this.#lease.fence,
      from: this.#upload.offset,
      length: this.#declared,
      sha256: this.#declaredSha256,
      extents,
      replaced,
      ending,
    });
    const outcome = await committing.catch((error: unknown) => {
      if (error instanceof CatalogFullError) this.#refused = newKeys(extents, this.#extents);
      throw error;
    });
    if (outcome === "stale") throw uploadError("superseded", { offset: this.#upload.offset });
    this.#writer.madeDurable(to - this.#upload.offset);
    this.#extents = merged;
    // Judged, or not to be judged before the end: for that it is read, so that it need not wait.
    if (to >= limits.sniffBytes) this.#head = undefined;
    const length = this.#upload.length ?? this.#declared;
    this.#declared = undefined;
    this.#declaredSha256 = undefined;
    this.#upload = {
      ...this.#upload,
      length,
      offset: to,
      crc32: advance.crc32,
      updatedAt: at,
      expiresAt: advance.expiresAt,
      state: ending?.state ?? "open",
      completion,
      reason: ending?.state === "rejected" ? ending.reason : undefined,
    };
    this.#request.onDurable?.(to);
  }
}

function isStorageFailure(error: unknown): boolean {
  return error instanceof UploadError && error.code === "storage_failed";
}

function isNoRoom(error: unknown): boolean {
  return error instanceof UploadError && error.code === "no_room";
}
