import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export const algorithms = ["sha1", "sha256", "md5", "crc32"] as const;
export type Algorithm = (typeof algorithms)[number];

function digestOf(algorithm: Algorithm, bytes: Uint8Array): Buffer {
  if (algorithm !== "crc32") return createHash(algorithm).update(bytes).digest();
  const digest = Buffer.alloc(4);
  digest.writeUInt32BE(crc32(bytes));
  return digest;
}

/** `Upload-Checksum` of these bytes. */
export function checksumOf(algorithm: Algorithm, bytes: Uint8Array): string {
  return `${algorithm} ${digestOf(algorithm, bytes).toString("base64")}`;
}
