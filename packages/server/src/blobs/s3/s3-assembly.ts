import { createHash } from "node:crypto";
import { crc32, crc32OfRuns } from "../../base/crc32.ts";
import { asError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { AssembleRequest, StoredExtent } from "../blob-store.ts";
import { Gate } from "../../base/gate.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { endedBy } from "./s3-client.ts";
import { digestOf, md5Of } from "./s3-digest.ts";
import { isRefusal } from "./s3-error.ts";
import { beforeSigning, settingHeaders } from "./s3-headers.ts";
import { withoutQuotes, type ObjectFacts, type S3Objects } from "./s3-objects.ts";
import { planEqually, planObject, type ExtentSlice, type Piece } from "./s3-pieces.ts";

export interface S3AssemblyParts {
  readonly objects: S3Objects;
  readonly memory: MemoryBudget;
  readonly keyOf: (extent: Pick<StoredExtent, "start" | "length" | "crc32">) => string;
  /** Tells our own object from whatever else may be found at the key. */
  readonly nonce: string;
  /** Every part but the last is to be as long as the others. */
  readonly equalParts: boolean;
}

interface StoredPiece {
  /** As the store named it, to complete the upload by. */
  readonly etag: string;
  /** What the piece's MD5 is; undefined where only reading it would tell. */
  readonly md5: string | undefined;
}

interface Upload {
  readonly key: string;
  readonly id: string;
  readonly signal: AbortSignal | undefined;
}

/** The store has all parts, and makes no object of them. */
export class PartsRefusedError extends Error {
  override readonly name = "PartsRefusedError";
}

/** Makes one plain object of a blob's extents, and sees to it that it holds their bytes. */
export class S3Assembly {
  readonly #parts: S3AssemblyParts;

  constructor(parts: S3AssemblyParts) {
    this.#parts = parts;
  }

  async run({ extents, signal }: AssembleRequest): Promise<StoredExtent> {
    const length = extents.reduce((sum, extent) => sum + extent.length, 0);
    const run = { start: 0, length, crc32: crc32OfRuns(extents) };
    const extent = { ...run, key: this.#parts.keyOf(run), inline: undefined };
    const plan = this.#parts.equalParts ? planEqually : planObject;
    const pieces = plan(extents, this.#parts.objects.profile);
    const [only] = pieces;
    if (pieces.length <= 1 && only?.kind !== "copy") {
      await this.#putPlain(extent, only, signal);
    } else {
      await this.#putMultipart(extent, pieces, signal);
    }
    return extent;
  }

  async #putPlain(
    extent: StoredExtent,
    piece: Extract<Piece, { kind: "write" }> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { objects, memory } = this.#parts;
    const { key, length, crc32: sum } = extent;
    await memory.take(length);
    try {
      const body = piece === undefined ? Buffer.alloc(0) : await this.#gather(piece, signal);
      if (crc32(body) !== sum) throw new Error(`what was read for ${key} has another CRC-32`);
      await objects.put({ key, body, crc32: sum, signal });
    } finally {
      memory.give(length);
    }
    const facts = await objects.head(key, signal);
    if (facts?.length !== length) throw new Error(`${key} was put, and has another length`);
    if (objects.profile.digest === undefined) await this.#readBack(extent, signal);
  }

  async #putMultipart(
    extent: StoredExtent,
    pieces: readonly Piece[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { sdk, client, bucket } = this.#parts.objects.connection;
    const { key } = extent;
    const target = { Bucket: bucket, Key: key };
    const created = await client.send(
      new sdk.CreateMultipartUploadCommand({ ...target, Metadata: { nonce: this.#parts.nonce } }),
      endedBy(signal),
    );
    const id = created.UploadId;
    if (id === undefined) throw new Error(`no multipart upload was begun for ${key}`);
    const upload: Upload = { key, id, signal };
    let stored: readonly StoredPiece[];
    try {
      stored = await this.#storeAll(upload, pieces);
    } catch (error) {
      await this.#abort(upload);
      throw error;
    }
    const facts = await this.#complete(upload, stored);
    if (facts.length !== extent.length) throw new Error(`${key} has ${facts.length} bytes`);
    const etag = predictedEtag(stored);
    if (!this.#parts.objects.profile.md5Etags || etag === undefined) {
      await this.#readBack(extent, signal);
    } else if (facts.etag !== etag) {
      throw new Error(`${key} has the ETag ${facts.etag}, and should have ${etag}`);
    }
  }

  async #storeAll(upload: Upload, pieces: readonly Piece[]): Promise<readonly StoredPiece[]> {
    const gate = new Gate(limits.s3PartsInFlight);
    let failure: { readonly error: unknown } | undefined;
    const stored = await Promise.allSettled(
      pieces.map((piece, index) =>
        gate.run(async () => {
          // The others would be done for nothing.
          if (failure !== undefined) throw failure.error;
          try {
            return await this.#storePiece(upload, piece, index + 1);
          } catch (error) {
            failure ??= { error };
            throw error;
          }
        }),
      ),
    );
    if (failure !== undefined) throw failure.error;
    return stored.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }

  #storePiece(upload: Upload, piece: Piece, partNumber: number): Promise<StoredPiece> {
    return piece.kind === "copy"
      ? this.#copyPiece(upload, piece, partNumber)
      : this.#writePiece(upload, piece, partNumber);
  }

  async #copyPiece(
    { key, id, signal }: Upload,
    { extent, from, to }: ExtentSlice,
    partNumber: number,
  ): Promise<StoredPiece> {
    const { objects } = this.#parts;
    const { sdk, client, bucket } = objects.connection;
    const isWhole = from === 0 && to === extent.length;
    const source = await objects.head(extent.key, signal);
    if (source?.length !== extent.length) throw new Error(`${extent.key} is not whole`);
    const answer = await client.send(
      new sdk.UploadPartCopyCommand({
        Bucket: bucket,
        Key: key,
        UploadId: id,
        PartNumber: partNumber,
        CopySource: `${bucket}/${extent.key}`,
        ...(isWhole ? {} : { CopySourceRange: `bytes=${from}-${to - 1}` }),
      }),
      endedBy(signal),
    );
    const etag = withoutQuotes(answer.CopyPartResult?.ETag);
    if (etag === "") throw new Error(`the copy of ${extent.key} was not confirmed`);
    const md5 = isWhole && isMd5(source.etag) ? source.etag : undefined;
    if (md5 !== undefined && objects.profile.md5Etags && etag !== md5) {
      throw new Error(`the copy of ${extent.key} has the ETag ${etag}, and should have ${md5}`);
    }
    return { etag, md5 };
  }

  async #writePiece(
    { key, id, signal }: Upload,
    piece: Extract<Piece, { kind: "write" }>,
    partNumber: number,
  ): Promise<StoredPiece> {
    const { objects, memory } = this.#parts;
    const { sdk, client, bucket } = objects.connection;
    await memory.take(piece.length);
    try {
      const body = await this.#gather(piece, signal);
      const form = objects.profile.digest;
      const digest = await digestOf({ body, crc32: crc32(body), form });
      const command = new sdk.UploadPartCommand({
        Bucket: bucket,
        Key: key,
        UploadId: id,
        PartNumber: partNumber,
        Body: body,
        ContentLength: body.length,
        ...digest.fields,
      });
      command.middlewareStack.add(settingHeaders(digest.headers), beforeSigning);
      const etag = withoutQuotes((await client.send(command, endedBy(signal))).ETag);
      if (etag === "") throw new Error(`part ${partNumber} of ${key} was not confirmed`);
      return { etag, md5: (await md5Of(body)).toString("hex") };
    } finally {
      memory.give(piece.length);
    }
  }

  /** Reads a piece's slices; an extent that is read whole is held to its CRC-32. */
  async #gather(
    { slices, length }: Extract<Piece, { kind: "write" }>,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    const body = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    for (const { extent, from, to } of slices) {
      const begin = filled;
      const chunks =
        extent.inline === undefined
          ? this.#parts.objects.read(extent.key, { from, to }, signal)
          : [extent.inline.subarray(from, to)];
      for await (const chunk of chunks) {
        body.set(chunk, filled);
        filled += chunk.length;
      }
      const isWhole = from === 0 && to === extent.length;
      if (isWhole && crc32(body.subarray(begin, filled)) !== extent.crc32) {
        throw new Error(`the extent at ${extent.start} (${extent.key}) has another CRC-32`);
      }
    }
    if (filled !== length) throw new Error(`${filled} bytes were read of ${length}`);
    return body;
  }

  /** Whatever the answer, only our own object at the key counts. */
  async #complete(upload: Upload, stored: readonly StoredPiece[]): Promise<ObjectFacts> {
    const { objects, nonce } = this.#parts;
    const { sdk, client, bucket } = objects.connection;
    const { key, id, signal } = upload;
    const parts = stored.map(({ etag }, index) => ({ PartNumber: index + 1, ETag: `"${etag}"` }));
    let failure: Error | undefined;
    try {
      await client.send(
        new sdk.CompleteMultipartUploadCommand({
          Bucket: bucket,
          Key: key,
          UploadId: id,
          MultipartUpload: { Parts: parts },
        }),
        endedBy(signal),
      );
    } catch (error) {
      failure = asError(error);
    }
    const facts = await objects.head(key, signal);
    if (facts?.metadata.nonce === nonce) return facts;
    if (failure === undefined || isRefusal(failure)) await this.#abort(upload);
    if (isRefusal(failure)) {
      throw new PartsRefusedError(`the parts of ${key} were refused`, { cause: failure });
    }
    throw failure ?? new Error(`${key} was completed, and what is there is not ours`);
  }

  async #abort({ key, id }: Upload): Promise<void> {
    const { sdk, client, bucket } = this.#parts.objects.connection;
    const command = new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: id });
    // What is left over is found and aborted once the epoch is closed.
    await client.send(command).catch(() => undefined);
  }

  async #readBack(extent: StoredExtent, signal: AbortSignal | undefined): Promise<void> {
    const { key, length, crc32: wanted } = extent;
    let sum = 0;
    for await (const chunk of this.#parts.objects.read(key, { from: 0, to: length }, signal)) {
      sum = crc32(chunk, sum);
    }
    if (sum !== wanted) throw new Error(`${key} reads with another CRC-32 than its extents`);
  }
}

function isMd5(etag: string): boolean {
  return /^[0-9a-f]{32}$/.test(etag);
}

/** What stores with MD5 ETags make of the pieces'; undefined where a piece's MD5 is not known. */
function predictedEtag(stored: readonly StoredPiece[]): string | undefined {
  const hash = createHash("md5");
  for (const { md5 } of stored) {
    if (md5 === undefined) return undefined;
    hash.update(Buffer.from(md5, "hex"));
  }
  return `${hash.digest("hex")}-${stored.length}`;
}
