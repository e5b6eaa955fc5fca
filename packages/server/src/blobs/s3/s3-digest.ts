import { createHash } from "node:crypto";
import { Gate } from "../../base/gate.ts";
import type { DigestForm } from "./s3-profile.ts";

/** What a request carries so that the store can refuse a body that is not the one we sent. */
export interface BodyDigest {
  /** The payload's part of the signature: its SHA-256 in hex, or a word that says "not signed". */
  readonly headers: { readonly "x-amz-content-sha256": string };
  /** As the SDK's commands call them. */
  readonly fields: {
    readonly ContentMD5?: string;
    readonly ChecksumCRC32?: string;
  };
}

export interface DigestRequest {
  readonly body: Uint8Array;
  /** Of the body, known already. */
  readonly crc32: number;
  readonly form: DigestForm | undefined;
}

/** Large bodies are digested off the event loop, or in slices that leave it room between them. */
export async function digestOf({ body, crc32, form }: DigestRequest): Promise<BodyDigest> {
  const unsigned = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } as const;
  switch (form) {
    case undefined:
      return { headers: unsigned, fields: {} };
    case "crc32":
      return { headers: unsigned, fields: { ChecksumCRC32: base64OfCrc32(crc32) } };
    case "sha256":
      return { headers: { "x-amz-content-sha256": await sha256Of(body) }, fields: {} };
    case "md5":
      return { headers: unsigned, fields: { ContentMD5: (await md5Of(body)).toString("base64") } };
  }
}

export function base64OfCrc32(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString("base64");
}

const sliceBytes = 1024 * 1024;

export async function md5Of(body: Uint8Array): Promise<Buffer> {
  const hash = createHash("md5");
  for (let from = 0; from < body.length; from += sliceBytes) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve));
    hash.update(body.subarray(from, from + sliceBytes));
  }
  return hash.digest();
}

/** A digest off this thread is taken of a copy: more at once would double the memory of all parts. */
const digestsAtOnce = new Gate(2);

async function sha256Of(body: Uint8Array): Promise<string> {
  // For what is small, the way to another thread and back takes longer.
  if (body.length <= 16 * 1024) return createHash("sha256").update(body).digest("hex");
  // The parts' memory is never shared between threads, which is all that the type does not say.
  const bytes = body as Uint8Array<ArrayBuffer>;
  const digest = await digestsAtOnce.run(() => crypto.subtle.digest("SHA-256", bytes));
  return Buffer.from(digest).toString("hex");
}
