import { createHash } from "node:crypto";
import { crc32 } from "../../base/crc32.ts";
import { limits } from "../../base/limits.ts";
import { KeysLeftError } from "../blob-store.ts";
import type { S3Connection } from "./s3-client.ts";
import { base64OfCrc32 } from "./s3-digest.ts";
import { isRefusal, serviceError } from "./s3-error.ts";
import { beforeSigning, settingHeaders } from "./s3-headers.ts";
import { withoutQuotes, S3Objects, type S3ObjectsParts } from "./s3-objects.ts";
import { digestForms, type DigestForm, type S3Profile } from "./s3-profile.ts";

export interface S3SelfTestParts extends S3ObjectsParts {
  /** Ends in a slash; nothing else is under it. */
  readonly prefix: string;
}

const body = Buffer.from(
  "What a store of objects does is asked of it, not looked up in a table.\n",
);
const md5 = createHash("md5").update(body).digest("hex");

/** Tries on the store at hand what is counted on, and finds out what of the rest it can do. */
export class S3SelfTest {
  readonly #parts: S3SelfTestParts;
  readonly #objects: S3Objects;
  readonly #connection: S3Connection;

  constructor(parts: S3SelfTestParts) {
    this.#parts = parts;
    this.#objects = new S3Objects(parts);
    this.#connection = parts.connection;
  }

  async run(): Promise<S3Profile> {
    const plain = this.#key("plain");
    const attempted = [plain, this.#key("assembled"), ...digestForms.map((one) => this.#key(one))];
    try {
      await this.#basics(plain);
      const refusedDigests: DigestForm[] = [];
      for (const form of digestForms) if (await this.#checks(form)) refusedDigests.push(form);
      const assembled = await this.#assembles(plain);
      return {
        digest: refusedDigests[0],
        refusedDigests,
        batchDelete: await this.#removesBatches(attempted),
        partCopy: assembled.partCopy,
        partsMax: await this.#partsMax(),
        md5Etags: assembled.md5Etags,
        conditionalPut: await this.#refusesToOverwrite(plain),
        versioning: await this.#versioning(),
      };
    } finally {
      // A test that failed says more than what it could not remove.
      await this.#objects.remove(attempted).catch(() => undefined);
    }
  }

  #key(name: string): string {
    return `${this.#parts.prefix}${name}`;
  }

  /** What nothing works without: put, look, list, read a range, miss. */
  async #basics(key: string): Promise<void> {
    await this.#objects.put({ key, body, crc32: crc32(body), signal: undefined });
    const facts = await this.#objects.head(key);
    if (facts?.length !== body.length) throw unfit("an object that was put is not seen");
    const listed = await collect(this.#objects.list(this.#parts.prefix));
    if (!listed.includes(key)) throw unfit("an object that was put is not listed");
    const range = { from: 5, to: 20 };
    const read = Buffer.concat(await collect(this.#objects.read(key, range)));
    if (!read.equals(body.subarray(range.from, range.to))) {
      throw unfit("a range of an object reads as other bytes");
    }
    if ((await this.#objects.head(this.#key("missing"))) !== undefined) {
      throw unfit("an object is seen that was never put");
    }
  }

  /** Whether a put is refused for a wrong digest of this form, and not for having one at all. */
  async #checks(form: DigestForm): Promise<boolean> {
    if (await takes(this.#putWrong(form))) return false;
    return await takes(this.#putRight(form));
  }

  async #putWrong(form: DigestForm): Promise<void> {
    const { sdk, client, bucket } = this.#connection;
    const wrong = Buffer.alloc(16).toString("base64");
    const command = new sdk.PutObjectCommand({
      Bucket: bucket,
      Key: this.#key(form),
      Body: body,
      ContentMD5: form === "md5" ? wrong : undefined,
      ChecksumCRC32: form === "crc32" ? base64OfCrc32(~crc32(body) >>> 0) : undefined,
    });
    const sha256 = form === "sha256" ? "0".repeat(64) : "UNSIGNED-PAYLOAD";
    command.middlewareStack.add(settingHeaders({ "x-amz-content-sha256": sha256 }), beforeSigning);
    await client.send(command);
  }

  /** As every put would be, were this form the chosen one. */
  async #putRight(form: DigestForm): Promise<void> {
    const profile = { ...this.#parts.profile, digest: form };
    const objects = new S3Objects({ ...this.#parts, profile });
    await objects.put({ key: this.#key(form), body, crc32: crc32(body), signal: undefined });
  }

  /** One part of a multipart upload, copied from an object. */
  async #assembles(source: string): Promise<Pick<S3Profile, "partCopy" | "md5Etags">> {
    const { sdk, client, bucket } = this.#connection;
    const key = this.#key("assembled");
    const target = { Bucket: bucket, Key: key };
    const { UploadId: uploadId } = await client.send(new sdk.CreateMultipartUploadCommand(target));
    const upload = { ...target, UploadId: uploadId };
    try {
      const copied = await client.send(
        new sdk.UploadPartCopyCommand({
          ...upload,
          PartNumber: 1,
          CopySource: `${bucket}/${source}`,
        }),
      );
      const part = { PartNumber: 1, ETag: copied.CopyPartResult?.ETag };
      await client.send(
        new sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [part] } }),
      );
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
      if (!isRefusal(error) && serviceError(error).statusCode !== 501) throw error;
      return { partCopy: false, md5Etags: false };
    }
    const facts = await this.#objects.head(key);
    const plain = await this.#objects.head(source);
    const whole = createHash("md5").update(Buffer.from(md5, "hex")).digest("hex");
    const isPlainMd5 = withoutQuotes(plain?.etag) === md5;
    return {
      partCopy: facts?.length === body.length,
      md5Etags: isPlainMd5 && facts?.etag === `${whole}-1`,
    };
  }

  /** Whether a part may have the highest number that S3 knows. */
  async #partsMax(): Promise<number> {
    const { sdk, client, bucket } = this.#connection;
    const target = { Bucket: bucket, Key: this.#key("assembled") };
    const { UploadId: uploadId } = await client.send(new sdk.CreateMultipartUploadCommand(target));
    const upload = { ...target, UploadId: uploadId };
    const last = { PartNumber: limits.s3MultipartPartsMax, Body: body };
    try {
      await client.send(new sdk.UploadPartCommand({ ...upload, ...last }));
      return limits.s3MultipartPartsMax;
    } catch (error) {
      if (!isRefusal(error) || serviceError(error).statusCode === 403) throw error;
      return limits.s3FewPartsMax;
    } finally {
      await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined);
    }
  }

  async #refusesToOverwrite(key: string): Promise<boolean> {
    const { sdk, client, bucket } = this.#connection;
    try {
      await client.send(
        new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: body, IfNoneMatch: "*" }),
      );
      return false;
    } catch (error) {
      const { statusCode } = serviceError(error);
      if (statusCode === 412) return true;
      if (isRefusal(error) || statusCode === 501) return false;
      throw error;
    }
  }

  /** Takes the objects of the test away, by one request if the store can. */
  async #removesBatches(keys: readonly string[]): Promise<boolean> {
    const [first = "", ...others] = keys;
    try {
      await this.#objects.removeBatch(others);
    } catch (error) {
      if (error instanceof KeysLeftError) {
        // One by one it must do: what cannot be removed fills up.
        await this.#objects.remove(others);
        return false;
      }
      if (!isRefusal(error) && serviceError(error).statusCode !== 501) throw error;
      return false;
    }
    const left = await collect(this.#objects.list(this.#parts.prefix));
    return left.every((key) => key === first);
  }

  async #versioning(): Promise<S3Profile["versioning"]> {
    const { sdk, client, bucket } = this.#connection;
    try {
      const { Status: status } = await client.send(
        new sdk.GetBucketVersioningCommand({ Bucket: bucket }),
      );
      if (status === "Enabled") return "on";
      return status === "Suspended" ? "suspended" : "off";
    } catch (error) {
      // Not everybody may ask, and not every store answers.
      if (isRefusal(error) || serviceError(error).statusCode === 501) return "unknown";
      throw error;
    }
  }
}

/** Whether the store takes what is put; not where it refuses it, or does not know what it carries. */
async function takes(putting: Promise<void>): Promise<boolean> {
  try {
    await putting;
    return true;
  } catch (error) {
    const { statusCode } = serviceError(error);
    if (statusCode === 403 || !(isRefusal(error) || statusCode === 501)) throw error;
    return false;
  }
}

function unfit(what: string): Error {
  return new Error(`this S3 store cannot be used: ${what}`);
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
