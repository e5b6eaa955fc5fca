import { randomBytes, randomUUID } from "node:crypto";
import type { Advance, Catalog, EndUpload } from "../../packages/server/src/catalog/catalog.ts";
import type {
  App,
  Completion,
  Extent,
  PublishedFile,
  Token,
  Upload,
} from "../../packages/server/src/catalog/records.ts";

export interface OpenedCatalog {
  readonly catalog: Catalog;
  /** Closes the catalog and opens what it kept, as the next process would. */
  reopen(): Promise<Catalog>;
  /** Closes whatever is open, fails when anything foreign was left behind, and removes it all. */
  dispose(): Promise<void>;
}

export type OpenCatalog = () => Promise<OpenedCatalog>;

export const completion: Completion = {
  completedAt: 2_000,
  handleExpiresAt: 90_000,
  nonce: "00112233445566778899aabbcc",
};

export function makeUpload(changes: Partial<Upload> = {}): Upload {
  return {
    id: randomUUID(),
    appId: "1001",
    userId: "42",
    state: "open",
    name: "holiday – Ünïcode.mp4",
    type: "video/mp4",
    length: 5_000_000_000,
    lengthMax: 5_000_000_000,
    offset: 0,
    crc32: 0,
    blobId: randomUUID(),
    protocol: "graph",
    creation: '{"session":"upload:1"}',
    completes: "at_length",
    concatenates: undefined,
    sha256: undefined,
    contentPolicy: "warn",
    lifetimeMs: 86_400_000,
    handleLifetimeMs: 60_000,
    createdAt: 1_000,
    updatedAt: 1_000,
    expiresAt: 10_000,
    completion: undefined,
    reason: undefined,
    ...changes,
  };
}

export function makeExtent(changes: Partial<Extent> = {}): Extent {
  return {
    key: makeKey(),
    start: 0,
    length: 100,
    crc32: 0xfedcba98,
    inline: undefined,
    ...changes,
  };
}

export function makeKey(): string {
  const name = randomBytes(16).toString("hex");
  return `${name.slice(0, 2)}/${name}`;
}

export function makeAdvance(upload: Upload, changes: Partial<Advance> = {}): Advance {
  return {
    id: upload.id,
    blobId: upload.blobId,
    fence: "first",
    from: 0,
    to: 100,
    crc32: 0xfedcba98,
    extents: [makeExtent()],
    replaced: [],
    at: 1_500,
    expiresAt: 11_500,
    ending: undefined,
    ...changes,
  };
}

export function makeEnd(upload: Upload, changes: Partial<EndUpload> = {}): EndUpload {
  return {
    id: upload.id,
    blobId: upload.blobId,
    fence: "first",
    state: "cancelled",
    reason: undefined,
    at: 3_000,
    ...changes,
  };
}

export function makeFile(upload: Upload, changes: Partial<PublishedFile> = {}): PublishedFile {
  return {
    id: String(BigInt(`0x${randomBytes(6).toString("hex")}`)),
    appId: upload.appId,
    uploadId: upload.id,
    blobId: upload.blobId,
    name: upload.name,
    description: "what it shows",
    type: upload.type,
    size: upload.length ?? 0,
    crc32: 0xfedcba98,
    sha256: undefined,
    createdAt: 4_000,
    ...changes,
  };
}

export function makeApp(changes: Partial<App> = {}): App {
  return {
    id: "1001",
    name: "Camera",
    sealedSecret: Uint8Array.of(0, 1, 254, 255),
    types: ["video/mp4", "image/png"],
    lengthMax: 2 ** 40,
    lifetimeMs: 86_400_000,
    contentPolicy: "reject",
    digestPolicy: "on_request",
    roomBytesMax: undefined,
    createdAt: 1_000,
    ...changes,
  };
}

export function makeToken(changes: Partial<Token> = {}): Token {
  return {
    id: randomUUID(),
    hash: new Uint8Array(randomBytes(32)),
    appId: "1001",
    userId: "42",
    scopes: ["upload", "read"],
    label: "laptop",
    createdAt: 1_000,
    expiresAt: undefined,
    revokedAt: undefined,
    ...changes,
  };
}

/** An open upload, held under the fence "first". */
export async function insertHeld(catalog: Catalog, changes: Partial<Upload> = {}): Promise<Upload> {
  const upload = makeUpload(changes);
  await catalog.insertUpload(upload);
  await catalog.takeLease(upload.id, "first");
  return upload;
}

/** An upload of one extent that is complete and let go, with that extent's key. */
export async function insertComplete(
  catalog: Catalog,
  changes: Partial<Upload> = {},
): Promise<{ upload: Upload; key: string }> {
  const held = await insertHeld(catalog, { length: 100, ...changes });
  const extent = makeExtent();
  await catalog.advance(
    makeAdvance(held, {
      extents: [extent],
      expiresAt: held.expiresAt,
      ending: { state: "complete", completion },
    }),
  );
  await catalog.releaseLease(held.id, "first");
  const upload = await catalog.findUpload(held.id);
  if (upload === undefined) throw new Error("the upload is gone");
  return { upload, key: extent.key };
}

export async function doomedKeys(catalog: Catalog): Promise<string[]> {
  return (await catalog.listDoomed(Number.MAX_SAFE_INTEGER, 1_000)).sort();
}
