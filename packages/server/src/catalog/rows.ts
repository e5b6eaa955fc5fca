import type { Insertable, Selectable } from "kysely";
import type { AppUpdate } from "./catalog.ts";
import type {
  App,
  Assembly,
  Completion,
  CompletionRule,
  ContentPolicy,
  Epoch,
  DigestPolicy,
  Extent,
  PublishedFile,
  Token,
  Upload,
  UploadState,
} from "./records.ts";
import type {
  AppsTable,
  AssembliesTable,
  EpochsTable,
  ExtentsTable,
  FilesTable,
  TokensTable,
  UploadsTable,
} from "./schema.ts";

/** Rows to records and back. The `as` here name what only this program ever wrote there. */

export function uploadOf(row: Selectable<UploadsTable>): Upload {
  return {
    id: row.id,
    appId: row.app_id,
    userId: row.user_id,
    state: row.state as UploadState,
    name: row.name,
    type: row.type,
    length: row.length ?? undefined,
    lengthMax: row.length_max,
    offset: row.offset,
    crc32: row.crc32,
    blobId: row.blob_id,
    protocol: row.protocol,
    creation: row.creation,
    completes: row.completes as CompletionRule,
    concatenates:
      row.concatenates === null ? undefined : (JSON.parse(row.concatenates) as string[]),
    sha256: row.sha256 ?? undefined,
    contentPolicy: row.content_policy as ContentPolicy,
    lifetimeMs: row.lifetime_ms,
    handleLifetimeMs: row.handle_lifetime_ms,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    expiresAt: row.expires_at,
    completion: completionOf(row),
    reason: row.reason ?? undefined,
  };
}

function completionOf(row: Selectable<UploadsTable>): Completion | undefined {
  const { completed_at: completedAt, handle_expires_at: handleExpiresAt } = row;
  if (completedAt === null || handleExpiresAt === null || row.handle_nonce === null) {
    return undefined;
  }
  return { completedAt, handleExpiresAt, nonce: row.handle_nonce };
}

export function uploadRow(upload: Upload): UploadsTable {
  return {
    id: upload.id,
    app_id: upload.appId,
    user_id: upload.userId,
    state: upload.state,
    name: upload.name,
    type: upload.type,
    length: upload.length ?? null,
    length_max: upload.lengthMax,
    offset: upload.offset,
    crc32: upload.crc32,
    blob_id: upload.blobId,
    protocol: upload.protocol,
    creation: upload.creation,
    completes: upload.completes,
    concatenates: upload.concatenates === undefined ? null : JSON.stringify(upload.concatenates),
    sha256: upload.sha256 ?? null,
    content_policy: upload.contentPolicy,
    lifetime_ms: upload.lifetimeMs,
    handle_lifetime_ms: upload.handleLifetimeMs,
    created_at: upload.createdAt,
    updated_at: upload.updatedAt,
    expires_at: upload.expiresAt,
    completed_at: upload.completion?.completedAt ?? null,
    handle_expires_at: upload.completion?.handleExpiresAt ?? null,
    handle_nonce: upload.completion?.nonce ?? null,
    reason: upload.reason ?? null,
  };
}

export function extentOf(row: Selectable<ExtentsTable>): Extent {
  return {
    key: row.key,
    start: row.start,
    length: row.length,
    crc32: row.crc32,
    inline: row.inline ?? undefined,
  };
}

export function extentRow(blobId: string, extent: Extent): ExtentsTable {
  return {
    blob_id: blobId,
    start: extent.start,
    key: extent.key,
    length: extent.length,
    crc32: extent.crc32,
    inline: extent.inline ?? null,
  };
}

export function epochOf(row: Selectable<EpochsTable>): Epoch {
  return {
    fence: row.fence,
    blobId: row.blob_id,
    uploadId: row.upload_id ?? undefined,
    base: row.base,
    openedAt: row.opened_at,
    looks: row.looks,
  };
}

export function epochRow(epoch: Epoch): EpochsTable {
  return {
    fence: epoch.fence,
    blob_id: epoch.blobId,
    upload_id: epoch.uploadId ?? null,
    base: epoch.base,
    opened_at: epoch.openedAt,
    closed_at: null,
    looks: epoch.looks,
    look_at: null,
  };
}

export function assemblyOf(row: Selectable<AssembliesTable>): Assembly {
  return { blobId: row.blob_id, nonce: row.nonce ?? "", tries: row.tries };
}

export function fileOf(row: Selectable<FilesTable>): PublishedFile {
  return {
    id: row.id,
    appId: row.app_id,
    uploadId: row.upload_id,
    blobId: row.blob_id,
    name: row.name,
    description: row.description ?? undefined,
    type: row.type,
    size: row.size,
    crc32: row.crc32,
    sha256: row.sha256 ?? undefined,
    createdAt: row.created_at,
  };
}

export function fileRow(file: PublishedFile): Insertable<FilesTable> {
  return {
    id: file.id,
    app_id: file.appId,
    upload_id: file.uploadId,
    blob_id: file.blobId,
    name: file.name,
    description: file.description ?? null,
    type: file.type,
    size: file.size,
    crc32: file.crc32,
    sha256: file.sha256 ?? null,
    created_at: file.createdAt,
  };
}

export function appOf(row: Selectable<AppsTable>): App {
  return {
    id: row.id,
    name: row.name,
    sealedSecret: row.sealed_secret,
    types: JSON.parse(row.types) as string[],
    lengthMax: row.length_max,
    lifetimeMs: row.lifetime_ms,
    contentPolicy: row.content_policy as ContentPolicy,
    digestPolicy: row.digest_policy as DigestPolicy,
    roomBytesMax: row.room_bytes_max ?? undefined,
    createdAt: row.created_at,
  };
}

export function appRow(app: App): Insertable<AppsTable> {
  return {
    id: app.id,
    name: app.name,
    sealed_secret: app.sealedSecret,
    types: JSON.stringify(app.types),
    length_max: app.lengthMax,
    lifetime_ms: app.lifetimeMs,
    content_policy: app.contentPolicy,
    digest_policy: app.digestPolicy,
    room_bytes_max: app.roomBytesMax ?? null,
    created_at: app.createdAt,
  };
}

/** What is undefined is no part of the statement. */
export function appUpdateRow(update: AppUpdate) {
  return {
    name: update.name,
    sealed_secret: update.sealedSecret,
    types: update.types === undefined ? undefined : JSON.stringify(update.types),
    length_max: update.lengthMax,
    lifetime_ms: update.lifetimeMs,
    content_policy: update.contentPolicy,
    digest_policy: update.digestPolicy,
    room_bytes_max: update.roomBytesMax,
  };
}

export function tokenOf(row: Selectable<TokensTable>): Token {
  return {
    id: row.id,
    hash: row.hash,
    appId: row.app_id,
    userId: row.user_id,
    scopes: JSON.parse(row.scopes) as string[],
    label: row.label,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    revokedAt: row.revoked_at ?? undefined,
  };
}

export function tokenRow(token: Token): Insertable<TokensTable> {
  return {
    id: token.id,
    hash: token.hash,
    app_id: token.appId,
    user_id: token.userId,
    scopes: JSON.stringify(token.scopes),
    label: token.label,
    created_at: token.createdAt,
    expires_at: token.expiresAt ?? null,
    revoked_at: token.revokedAt ?? null,
  };
}
