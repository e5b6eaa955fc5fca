/** The tables as they are: times are epoch milliseconds, JSON is text. One shape, two dialects. */
export interface Schema {
  uploads: UploadsTable;
  extents: ExtentsTable;
  files: FilesTable;
  doomed_keys: DoomedKeysTable;
  apps: AppsTable;
  tokens: TokensTable;
  marks: MarksTable;
}

export interface UploadsTable {
  id: string;
  app_id: string;
  user_id: string;
  state: string;
  name: string;
  type: string;
  length: number;
  offset: number;
  crc32: number;
  blob_id: string;
  creation: string;
  content_policy: string;
  lifetime_ms: number;
  handle_lifetime_ms: number;
  created_at: number;
  updated_at: number;
  expires_at: number;
  completed_at: number | null;
  handle_expires_at: number | null;
  handle_nonce: string | null;
  reason: string | null;
}

export interface ExtentsTable {
  blob_id: string;
  start: number;
  key: string;
  length: number;
  crc32: number;
  inline: Uint8Array | null;
}

export interface FilesTable {
  id: string;
  app_id: string;
  upload_id: string;
  blob_id: string;
  name: string;
  description: string | null;
  type: string;
  size: number;
  crc32: number;
  sha256: string | null;
  created_at: number;
}

export interface DoomedKeysTable {
  key: string;
  doomed_at: number;
}

export interface AppsTable {
  id: string;
  name: string;
  sealed_secret: Uint8Array;
  types: string;
  length_max: number;
  lifetime_ms: number;
  content_policy: string;
  digest_policy: string;
  room_bytes_max: number | null;
  created_at: number;
}

export interface TokensTable {
  id: string;
  hash: Uint8Array;
  app_id: string;
  user_id: string;
  scopes: string;
  label: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

export interface MarksTable {
  name: string;
  value: string;
}
