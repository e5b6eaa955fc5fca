import type { Json } from "./answer.ts";
import { isJson, readCount, readText } from "./answer.ts";

/** An upload as the server tells of it; only what it told. */
export interface UploadRecord {
  readonly id: string;
  /** Durable bytes. */
  readonly offset?: number | undefined;
  /** Bytes of the whole. */
  readonly length?: number | undefined;
  readonly name?: string | undefined;
  readonly type?: string | undefined;
  /** `open`, `complete`, `cancelled`, `expired`, `rejected` or `damaged`. */
  readonly status?: string | undefined;
  /** CRC-32 of the bytes up to the offset, 8 hex digits. */
  readonly crc32?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly handle?: string | undefined;
}

/** A published file. */
export interface PublishedFile {
  readonly id: string;
  readonly name?: string | undefined;
  readonly type?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  /** CRC-32 of the content, 8 hex digits. */
  readonly crc32?: string | undefined;
  /** Of the content, 64 hex digits, where the server has computed it already. */
  readonly sha256?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly url?: string | undefined;
}

/** A page of a list, its entries in the server's order. */
export interface GraphPage<T> {
  readonly entries: readonly T[];
  /** Cursor of the next page; undefined when this is the last one. */
  readonly after: string | undefined;
}

export function readUpload(body: Json): UploadRecord {
  return {
    id: readText(body, "id") ?? "",
    offset: readCount(body, "file_offset"),
    length: readCount(body, "file_length"),
    name: readText(body, "file_name"),
    type: readText(body, "file_type"),
    status: readText(body, "status"),
    crc32: readText(body, "crc32")?.toLowerCase(),
    expiresAt: readText(body, "expires_at"),
    handle: readText(body, "h"),
  };
}

export function readFile(body: Json): PublishedFile {
  return {
    id: readText(body, "id") ?? "",
    name: readText(body, "name"),
    type: readText(body, "mime_type"),
    size: readCount(body, "size"),
    crc32: readText(body, "crc32")?.toLowerCase(),
    sha256: readText(body, "sha256")?.toLowerCase(),
    createdAt: readText(body, "created_time"),
    url: readText(body, "url"),
  };
}

export function readPage<T>(body: Json, read: (entry: Json) => T): GraphPage<T> {
  const data: readonly unknown[] = Array.isArray(body.data) ? body.data : [];
  const paging = isJson(body.paging) ? body.paging : {};
  const cursors = isJson(paging.cursors) ? paging.cursors : {};
  const entries = data.filter(isJson).map(read);
  return { entries, after: entries.length === 0 ? undefined : readText(cursors, "after") };
}
