import { createReadStream } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { asError } from "../base/errors.ts";

/**
 * A deployment in a directory: `catalog.ndjson`, one record a line, and the bytes of each blob as
 * the file `blobs/<blob id>`. Lines stand in the order in which they can be read back in.
 */
export const archiveFiles = Object.freeze({ catalog: "catalog.ndjson", blobs: "blobs" });

export function archiveBlobPath(directory: string, blobId: string): string {
  return path.join(directory, archiveFiles.blobs, blobId);
}

const archiveVersion = 1;

const bytes = z
  .base64()
  .transform((text): Uint8Array => new Uint8Array(Buffer.from(text, "base64")));
const whole = z.int().min(0);
/** JSON leaves out what is undefined. */
const maybe = <Type extends z.ZodType>(type: Type) =>
  type.optional().transform((value) => value ?? undefined);

const app = z.object({
  id: z.string(),
  name: z.string(),
  sealedSecret: bytes,
  types: z.array(z.string()),
  lengthMax: whole,
  lifetimeMs: whole,
  contentPolicy: z.enum(["off", "warn", "reject"]),
  digestPolicy: z.enum(["on_request", "on_publish"]),
  roomBytesMax: maybe(whole),
  createdAt: whole,
});

const token = z.object({
  id: z.string(),
  hash: bytes,
  appId: z.string(),
  userId: z.string(),
  scopes: z.array(z.string()),
  label: z.string(),
  createdAt: whole,
  expiresAt: maybe(whole),
  revokedAt: maybe(whole),
});

const upload = z
  .object({
    id: z.uuid(),
    appId: z.string(),
    userId: z.string(),
    state: z.enum(["open", "complete", "rejected", "cancelled", "expired", "damaged"]),
    name: z.string(),
    type: z.string(),
    length: maybe(whole),
    lengthMax: whole.optional(),
    offset: whole,
    crc32: whole,
    // It names a file: nothing else may come out of a line that somebody made up.
    blobId: z.string().regex(/^[0-9a-f-]{1,64}$/),
    protocol: z.string().default("graph"),
    creation: z.string(),
    completes: z.enum(["at_length", "when_told"]).default("at_length"),
    concatenates: maybe(z.array(z.uuid()).readonly()),
    sha256: maybe(z.string()),
    contentPolicy: z.enum(["off", "warn", "reject"]),
    lifetimeMs: whole,
    handleLifetimeMs: whole,
    createdAt: whole,
    updatedAt: whole,
    expiresAt: whole,
    completion: maybe(z.object({ completedAt: whole, handleExpiresAt: whole, nonce: z.string() })),
    reason: maybe(z.string()),
  })
  .transform((record) => ({ ...record, lengthMax: record.lengthMax ?? record.length ?? 0 }));

const file = z.object({
  id: z.string(),
  appId: z.string(),
  uploadId: z.string(),
  blobId: z.string(),
  name: z.string(),
  description: maybe(z.string()),
  type: z.string(),
  size: whole,
  crc32: whole,
  sha256: maybe(z.string()),
  createdAt: whole,
});

const line = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("archive"), version: z.literal(archiveVersion) }),
  z.object({ kind: z.literal("app"), app }),
  z.object({ kind: z.literal("token"), token }),
  /** `bytes` of the blob are in the archive; the file it was published as comes along. */
  z.object({ kind: z.literal("upload"), upload, bytes: z.boolean(), file: maybe(file) }),
]);

export type ArchiveLine = z.output<typeof line>;

export const archiveHead: ArchiveLine = { kind: "archive", version: archiveVersion };

export function formatLine(record: ArchiveLine): string {
  const text = JSON.stringify(record, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
  return `${text}\n`;
}

/** The records of an archive, in order; fails at the first line that is none. */
export async function* readArchive(directory: string): AsyncIterable<ArchiveLine> {
  const name = path.join(directory, archiveFiles.catalog);
  const lines = createInterface({ input: createReadStream(name), crlfDelay: Infinity });
  let number = 0;
  for await (const text of lines) {
    number += 1;
    try {
      const record = line.parse(JSON.parse(text));
      if (number === 1 && record.kind !== "archive") throw new Error("it does not say its version");
      yield record;
    } catch (error) {
      throw new Error(`line ${number} of ${name} is not a record: ${asError(error).message}`, {
        cause: error,
      });
    }
  }
  if (number === 0) throw new Error(`${name} is empty`);
}
