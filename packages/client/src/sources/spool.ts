import { randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Crc32 } from "../crc32.ts";
import { UploadError } from "../errors.ts";
import { fileHandleSource } from "./file-handle.ts";
import type { Source } from "./source.ts";

/** How much of a stream to take, what to call it, and where to put it meanwhile. */
export interface SpoolOptions {
  /** File name told to the server; its ending tells the media type too. */
  readonly name?: string | undefined;
  /** Most bytes that are taken. */
  readonly bytesMax: number;
  /** Where the temporary file goes; the system's own place unless given. */
  readonly directory?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A stream of unknown length, written to a temporary file first: an upload must tell its length
 * before it begins, and a part that was cut must be read again. The file has no name any more once
 * it is open, so that even a process that is killed leaves nothing behind (where the system allows
 * that; elsewhere it is removed by `close`). A later process cannot go on with it.
 *
 * @example
 * import { nodePlatform, spoolSource } from "hawser-client";
 * const { crc32 } = nodePlatform;
 * const spool = { name: "film.mp4", bytesMax: 2 ** 30 };
 * const openSource = () => spoolSource(process.stdin, crc32, spool);
 * const task = upload("-", { appId: "1234", token }, { ...nodePlatform, openSource });
 *
 * @throws UploadError `source-unreadable` when the stream fails, is longer than `bytesMax`, or does
 *   not fit on the disk; `aborted`
 */
export async function spoolSource(
  stream: AsyncIterable<Uint8Array>,
  crc32: Crc32,
  options: SpoolOptions,
): Promise<Source> {
  const directory = await mkdtemp(join(options.directory ?? tmpdir(), "hawser-spool-"));
  const remove = () => rm(directory, { recursive: true, force: true });
  const handle = await open(join(directory, "spool"), "wx+", 0o600);
  const close = async () => {
    await handle.close();
    await remove();
  };
  await remove().catch(() => undefined);
  try {
    await fill(handle, stream, options);
    const source = await fileHandleSource(handle, crc32, { name: options.name });
    return { ...source, identity: `spool:${randomUUID()}`, close };
  } catch (error) {
    await close();
    throw options.signal?.aborted === true ? new UploadError("aborted", "stopped") : error;
  }
}

async function fill(
  handle: FileHandle,
  stream: AsyncIterable<Uint8Array>,
  { bytesMax, signal }: SpoolOptions,
): Promise<void> {
  let length = 0;
  for await (const chunk of abortable(stream, signal)) {
    length += chunk.length;
    if (length > bytesMax) {
      throw new UploadError("source-unreadable", `the stream is longer than ${bytesMax} bytes`, {
        hint: "Write it to a file and upload that, or allow more.",
      });
    }
    await write(handle, chunk);
  }
}

async function write(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  try {
    for (let from = 0; from < chunk.length;) {
      from += (await handle.write(chunk, from)).bytesWritten;
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UploadError("source-unreadable", `cannot write the temporary file: ${reason}`, {
      cause,
      hint: "Make room for it, or set TMPDIR to a directory on a larger volume.",
    });
  }
}

/** A stream that waits for its next bytes would not notice an abort. */
async function* abortable(stream: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => undefined);
  const onAbort = () => {
    aborted.reject(new UploadError("aborted", "stopped"));
  };
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const reader = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await Promise.race([next(reader), aborted.promise]);
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

async function next(reader: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  try {
    return await reader.next();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UploadError("source-unreadable", `cannot read the stream: ${reason}`, { cause });
  }
}
