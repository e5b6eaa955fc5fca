import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { PromisedRoom } from "../catalog/catalog.ts";
import type { App, CompletionRule, Upload } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";

export interface CreateRequest {
  readonly id: string;
  readonly app: Pick<App, "id" | "lengthMax" | "lifetimeMs" | "contentPolicy" | "roomBytesMax">;
  readonly userId: string;
  readonly name: string;
  readonly type: string;
  /** In bytes, checked by the protocol against the app's limit; undefined when it is not known. */
  readonly length: number | undefined;
  readonly protocol: string;
  /** What the creating protocol needs to name the upload again. */
  readonly creation: string;
  readonly completes: CompletionRule;
  readonly concatenates?: readonly string[] | undefined;
  /** What the whole must be, in hex; one that is not becomes rejected when it would complete. */
  readonly sha256?: string | undefined;
}

/**
 * Starts an upload: one durable row. Fails with `no_room` when what it will bring has no place, on
 * the volume or within what its app may be promised.
 * The bytes' file is made when the first of them comes.
 */
export async function createUpload(parts: EngineParts, request: CreateRequest): Promise<Upload> {
  const now = parts.clock.now();
  // An app that was stored before there was a longest one may have a longer one.
  const lifetimeMs = Math.min(request.app.lifetimeMs, limits.lifetimeMsMax);
  const upload: Upload = {
    id: request.id,
    appId: request.app.id,
    userId: request.userId,
    state: "open",
    name: request.name,
    type: request.type,
    length: request.length,
    lengthMax: request.length ?? request.app.lengthMax,
    offset: 0,
    crc32: 0,
    blobId: parts.random.uuid(),
    protocol: request.protocol,
    creation: request.creation,
    completes: request.completes,
    concatenates: request.concatenates,
    sha256: request.sha256,
    contentPolicy: request.app.contentPolicy,
    lifetimeMs,
    handleLifetimeMs: parts.handleLifetimeMs,
    createdAt: now,
    updatedAt: now,
    expiresAt: now + lifetimeMs,
    completion: undefined,
    reason: undefined,
  };
  const within = roomOf(request.app, now);
  const insert = (): Promise<boolean> => parts.catalog.insertUpload(upload, within);
  if (await parts.room.promise(request.length ?? 0, insert)) return upload;
  throw uploadError("no_room", { offset: undefined, appBytesMax: within?.bytesMax });
}

function roomOf({ roomBytesMax }: CreateRequest["app"], now: number): PromisedRoom | undefined {
  if (roomBytesMax === undefined) return undefined;
  return { bytesMax: roomBytesMax, since: now - limits.roomPromiseMs };
}
