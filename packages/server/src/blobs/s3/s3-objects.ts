import { Readable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import { asError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import { BytesMissingError, KeysLeftError, type ByteRange } from "../blob-store.ts";
import { digestOf } from "./s3-digest.ts";
import { endedBy, type S3Connection } from "./s3-client.ts";
import { isMissingKey, isRefusal } from "./s3-error.ts";
import type { DigestForm, S3Profile } from "./s3-profile.ts";
import { addingContentMd5, beforeSigning, settingHeaders } from "./s3-headers.ts";

export interface PutRequest {
  readonly key: string;
  readonly body: Uint8Array;
  /** Of the body. */
  readonly crc32: number;
  readonly signal: AbortSignal | undefined;
}

export interface ObjectFacts {
  readonly length: number;
  /** Without its quotes. */
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface S3ObjectsParts {
  readonly connection: S3Connection;
  readonly clock: Clock;
  readonly profile: S3Profile;
}

/** Single objects of a bucket: put, looked at, read, listed, removed. */
export class S3Objects {
  readonly #parts: S3ObjectsParts;

  constructor(parts: S3ObjectsParts) {
    this.#parts = parts;
  }

  get connection(): S3Connection {
    return this.#parts.connection;
  }

  get profile(): S3Profile {
    return this.#parts.profile;
  }

  /** Puts a whole object, and tells how many tries it took. */
  async put(request: PutRequest): Promise<{ readonly attempts: number }> {
    const { sdk, client, bucket } = this.#parts.connection;
    const { key, body, signal } = request;
    const digest = await digestOf({ ...request, form: this.#digestForm });
    const command = new sdk.PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ...digest.fields,
    });
    command.middlewareStack.add(settingHeaders(digest.headers), beforeSigning);
    const { ETag: etag, $metadata } = await client.send(command, endedBy(signal));
    // A success that names no object may be a proxy's, or an error in disguise.
    if (etag === undefined) throw new Error(`the put of ${key} was not confirmed`);
    return { attempts: $metadata.attempts ?? 1 };
  }

  get #digestForm(): DigestForm | undefined {
    return this.#parts.profile.digest;
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectFacts | undefined> {
    const { sdk, client, bucket } = this.#parts.connection;
    try {
      const command = new sdk.HeadObjectCommand({ Bucket: bucket, Key: key });
      const answer = await client.send(command, endedBy(signal));
      if (answer.ContentLength === undefined) throw new Error(`no length was given for ${key}`);
      return {
        length: answer.ContentLength,
        etag: withoutQuotes(answer.ETag),
        metadata: answer.Metadata ?? {},
      };
    } catch (error) {
      if (!isMissingKey(error)) throw error;
      await this.#confirmMissing(key, signal);
      return undefined;
    }
  }

  /** A look has no answer in words: a bucket that is missing looks like a key that is. */
  async #confirmMissing(key: string, signal?: AbortSignal): Promise<void> {
    try {
      (await this.#open(key, { from: 0, to: 1 }, signal)).destroy();
    } catch (error) {
      if (error instanceof BytesMissingError) return;
      throw error;
    }
    throw new Error(`${key} was not seen, and can be read`);
  }

  /** Bytes [from, to) of an object. A stream that breaks is taken up again where it broke. */
  async *read(key: string, range: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    let position = range.from;
    let failures = 0;
    while (position < range.to) {
      try {
        for await (const chunk of this.#stream(key, { from: position, to: range.to }, signal)) {
          position += chunk.length;
          failures = 0;
          yield chunk;
        }
      } catch (error) {
        signal?.throwIfAborted();
        failures += 1;
        const isLast = failures >= limits.s3AttemptsMax;
        if (isLast || isRefusal(error) || error instanceof BytesMissingError) throw error;
        await this.#parts.clock.sleep(100 * 4 ** failures, signal);
        continue;
      }
      if (position < range.to) {
        throw new Error(`${key} ends at ${position}, before ${range.to}`);
      }
    }
  }

  async *#stream(key: string, range: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const body = await this.#open(key, range, signal);
    const chunks = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const chunk = await this.#heard(body, chunks);
        if (chunk === undefined) return;
        signal?.throwIfAborted();
        yield chunk;
      }
    } finally {
      body.destroy();
    }
  }

  async #open(key: string, { from, to }: ByteRange, signal?: AbortSignal): Promise<Readable> {
    const { sdk, readingClient, bucket } = this.#parts.connection;
    const command = new sdk.GetObjectCommand({
      Bucket: bucket,
      Key: key,
      Range: `bytes=${from}-${to - 1}`,
    });
    try {
      const answer = await readingClient.send(command, endedBy(signal));
      const { Body: body, ContentRange: contentRange } = answer;
      if (!(body instanceof Readable)) throw new Error(`no bytes came for ${key}`);
      // An error of a stream that nobody reads yet must not end the process.
      body.on("error", () => undefined);
      if (contentRange?.startsWith(`bytes ${from}-`) === true) return body;
      body.destroy();
      throw new Error(`${key} was asked for from ${from} on, and ${contentRange ?? "all"} came`);
    } catch (error) {
      if (isMissingKey(error)) throw new BytesMissingError(key, { cause: error });
      throw error;
    }
  }

  /** The next chunk, unless the store is silent for too long. The reader's pauses do not count. */
  async #heard(body: Readable, chunks: AsyncIterator<unknown>): Promise<Uint8Array | undefined> {
    const cancel = this.#parts.clock.after(limits.s3SilentMsMax, () => {
      body.destroy(new Error(`nothing came for ${limits.s3SilentMsMax} ms`));
    });
    try {
      const next: IteratorResult<unknown, unknown> = await chunks.next();
      if (next.done === true) return undefined;
      if (!(next.value instanceof Uint8Array)) throw new Error("a stream of bytes was expected");
      return next.value;
    } finally {
      cancel();
    }
  }

  async *list(prefix: string): AsyncIterable<string> {
    const { sdk, client, bucket } = this.#parts.connection;
    for (let token: string | undefined; ;) {
      const page = await client.send(
        new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      );
      const isTruncated = wasListed(prefix, page.IsTruncated);
      for (const { Key: key } of page.Contents ?? []) if (key !== undefined) yield key;
      if (!isTruncated) return;
      token = page.NextContinuationToken;
      if (token === undefined) throw new Error(`the listing of ${prefix} ends in its middle`);
    }
  }

  /** A key that is not there counts as removed. A KeysLeftError when some were not removed. */
  async remove(keys: readonly string[]): Promise<void> {
    const unique = [...new Set(keys)];
    const left: string[] = [];
    let why = "";
    const note = (error: unknown): void => {
      if (!(error instanceof KeysLeftError)) throw error;
      left.push(...error.keys);
      why ||= error.message;
    };
    if (!this.#parts.profile.batchDelete) {
      for (const key of unique) await this.#removeOne(key).catch(note);
    }
    const batched = this.#parts.profile.batchDelete ? unique.length : 0;
    for (let from = 0; from < batched; from += 1_000) {
      await this.removeBatch(unique.slice(from, from + 1_000)).catch(note);
    }
    if (left.length > 0) throw new KeysLeftError(left, why);
  }

  /** By one request. Each key must be confirmed: a success may be anybody's on the way. */
  async removeBatch(keys: readonly string[]): Promise<void> {
    const { sdk, client, bucket } = this.#parts.connection;
    const command = new sdk.DeleteObjectsCommand({
      Bucket: bucket,
      Delete: { Objects: keys.map((key) => ({ Key: key })), Quiet: false },
    });
    command.middlewareStack.add(addingContentMd5(), beforeSigning);
    const answer = await client.send(command);
    const gone = new Set((answer.Deleted ?? []).map(({ Key: key }) => key));
    const failed = answer.Errors ?? [];
    for (const { Key: key, Code: code } of failed) if (code === "NoSuchKey") gone.add(key);
    const left = keys.filter((key) => !gone.has(key));
    if (left.length === 0) return;
    const first = failed.find(({ Code: code }) => code !== "NoSuchKey");
    const { Key: key = left[0], Code: code = "not confirmed", Message: message = "" } = first ?? {};
    throw new KeysLeftError(left, `${key}: ${code} ${message}`.trimEnd());
  }

  async #removeOne(key: string): Promise<void> {
    const { sdk, client, bucket } = this.#parts.connection;
    try {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }));
    } catch (error) {
      if (isMissingKey(error)) return;
      if (isRefusal(error)) throw new KeysLeftError([key], `${key}: ${asError(error).message}`);
      throw error;
    }
  }
}

/**
 * Whether more is to come. What is not there may be forgotten or removed, so a success that is no
 * listing, such as a proxy's own page, must not pass for an empty one.
 */
export function wasListed(prefix: string, isTruncated: boolean | undefined): boolean {
  if (isTruncated === undefined) throw new Error(`what came for ${prefix} is no listing`);
  return isTruncated;
}

export function withoutQuotes(etag: string | undefined): string {
  return (etag ?? "").replace(/^"|"$/g, "");
}
