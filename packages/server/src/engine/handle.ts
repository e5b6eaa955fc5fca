import { createHmac, timingSafeEqual } from "node:crypto";
import { uploadError } from "../base/errors.ts";
import type { Upload } from "../catalog/records.ts";
import { rejectionOfUnjudged } from "./complete.ts";
import type { EngineParts } from "./parts.ts";

/*
 * 4:<base64 name>:<base64 type>:<110 characters>:e:<unix expiry>:<app>:<user>:<19 characters>
 * The long field is 82 bytes: 2 fixed (they spell "AR"), 1 version, 16 upload id, 8 length,
 * 4 CRC-32, 6 completion time, 13 nonce, 32 HMAC. The short one is 2 fixed bytes and 12 of an HMAC
 * over the line before it. See docs/decisions/handle-layout.md.
 */
const fixedBytes = Buffer.from([0x01, 0x10]);
const version = 1;
const factsBytes = 50;

/** The handle of a complete upload: the same line every time it is asked for. */
export async function handleOf(parts: EngineParts, upload: Upload): Promise<string> {
  const { completion } = upload;
  const secret = await parts.secretOf(upload.appId);
  if (completion === undefined || secret === undefined) {
    throw uploadError("internal", {
      detail: `upload ${upload.id} has nothing to make a handle of`,
    });
  }
  const facts = Buffer.alloc(factsBytes);
  fixedBytes.copy(facts, 0);
  facts.writeUInt8(version, 2);
  Buffer.from(upload.id.replaceAll("-", ""), "hex").copy(facts, 3);
  facts.writeBigUInt64BE(BigInt(upload.offset), 19);
  facts.writeUInt32BE(upload.crc32, 27);
  facts.writeUIntBE(completion.completedAt, 31, 6);
  Buffer.from(completion.nonce, "hex").copy(facts, 37);
  const prefix = `4:${base64(upload.name)}:${base64(upload.type)}`;
  const suffix = `e:${Math.floor(completion.handleExpiresAt / 1000)}:${upload.appId}:${upload.userId}`;
  return sign(secret, { prefix, facts, suffix });
}

/**
 * The complete upload that a handle stands for. Fails with `handle_invalid` when the handle is
 * altered, expired, another app's, its bytes are gone, or nobody judged them and they are not of
 * their type where the app rejects that.
 */
export async function uploadOfHandle(
  parts: EngineParts,
  handle: string,
  appId: string,
): Promise<Upload> {
  const fields = /^(4:[^:]*:[^:]*):([\w-]{110}):(e:(\d{1,12}):(\d{1,20}):\d{1,20}):[\w-]{19}$/.exec(
    handle,
  );
  if (fields === null) throw invalid("it is not in the form of a handle");
  const [, prefix = "", block = "", suffix = "", expiry = "", owner = ""] = fields;
  const secret = await parts.secretOf(appId);
  if (owner !== appId || secret === undefined) throw invalid("it was not made for this app");
  const facts = Buffer.from(block, "base64url").subarray(0, factsBytes);
  if (!equal(sign(secret, { prefix, facts, suffix }), handle)) throw invalid("it was altered");
  if (Number(expiry) * 1000 <= parts.clock.now()) throw invalid("it has expired");
  const upload = await parts.catalog.findUpload(uuidOf(facts.subarray(3, 19)));
  if (upload?.state !== "complete") throw invalid("its file is gone");
  const reason = await rejectionOfUnjudged(parts, upload);
  if (reason !== undefined) throw invalid(reason);
  return upload;
}

function sign(secret: string, line: { prefix: string; facts: Buffer; suffix: string }): string {
  const key = createHmac("sha256", secret).update("hawser handle 1").digest();
  const mac = createHmac("sha256", key)
    .update(`${line.prefix}:`)
    .update(line.facts)
    .update(`:${line.suffix}`)
    .digest();
  const block = Buffer.concat([line.facts, mac]).toString("base64url");
  const text = `${line.prefix}:${block}:${line.suffix}`;
  const check = createHmac("sha256", key).update(text).digest().subarray(0, 12);
  return `${text}:${Buffer.concat([fixedBytes, check]).toString("base64url")}`;
}

function equal(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function invalid(problem: string): Error {
  return uploadError("handle_invalid", { problem });
}
