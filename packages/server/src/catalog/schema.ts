import type { Generated } from "kysely";

/** The tables as they are: times are epoch milliseconds, JSON is text. One shape, two dialects. */
export interface Schema {
  uploads: SharedUploadsTable;
  extents: ExtentsTable;
  files: FilesTable;
  doomed_keys: DoomedKeysTable;
  apps: AppsTable;
  tokens: TokensTable;
  marks: MarksTable;
  nodes: NodesTable;
  epochs: EpochsTable;
  assemblies: AssembliesTable;
}

export interface UploadsTable {
  id: string;
  app_id: string;
  user_id: string;
  state: string;
  name: string;
  type: string;
  length: number | null;
  length_max: number;
  offset: number;
  crc32: number;
  blob_id: string;
  protocol: string;
  creation: string;
  completes: string;
  /** A list of ids in JSON. */
  concatenates: string | null;
  sha256: string | null;
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

/** An upload with what several nodes need to know of it; nobody else sets these. */
export interface SharedUploadsTable extends UploadsTable {
  /** Who may write now, where several processes share a catalog. */
  fence: Generated<string | null>;
  /** The node that holds the fence. */
  holder: Generated<string | null>;
  /** When another node asked the holder to let go. */
  wanted_at: Generated<number | null>;
  /** The file it was published as. */
  file_id: Generated<string | null>;
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

export interface NodesTable {
  id: string;
  beat_at: number;
}

export interface EpochsTable {
  fence: string;
  blob_id: string;
  upload_id: string | null;
  base: number;
  opened_at: number;
  closed_at: number | null;
  looks: number;
  look_at: number | null;
}

export interface AssembliesTable {
  blob_id: string;
  nonce: string | null;
  due_at: number;
  tries: number;
}
