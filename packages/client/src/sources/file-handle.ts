import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { Crc32 } from "../crc32.ts";
import { UploadError } from "../errors.ts";
import { readEnds } from "./fingerprint.ts";
import { typeFromContent, typeFromName } from "./media-type.ts";
import type { Source } from "./source.ts";

const readBytes = 1024 * 1024;
const chunksBetweenLooks = 256;

/** How the file is called; both unknown for a bare handle. */
export interface FileNames {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
}

/** An open file. The handle stays the caller's: `close` does not close it. */
export async function fileHandleSource(
  handle: FileHandle,
  crc32: Crc32,
  names: FileNames = {},
): Promise<Source> {
  const opened = await handle.stat({ bigint: true });
  if (!opened.isFile()) {
    throw new UploadError("source-unreadable", `${names.path ?? "the source"} is not a plain file`);
  }
  const length = Number(opened.size);
  const open = (start: number, end: number) => new FileReading(handle, opened).read(start, end);
  const ends = await readEnds({ length, open }, String(opened.mtimeNs), crc32);
  const contentType = typeFromContent(ends.head);
  return {
    name: names.name,
    length,
    type: typeFromName(names.name ?? "") ?? contentType,
    contentType,
    identity: `inode:${opened.dev}:${opened.ino}`,
    fingerprint: ends.fingerprint,
    open,
    close: () => Promise.resolve(),
  };
}

/** One pass over a range of the file. */
class FileReading {
  readonly #handle: FileHandle;
  readonly #opened: BigIntStats;

  constructor(handle: FileHandle, opened: BigIntStats) {
    this.#handle = handle;
    this.#opened = opened;
  }

  /** Two buffers in turn: while one is being sent, the other is being filled. */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    if (start >= end) return;
    const size = Math.min(readBytes, end - start);
    let [current, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
    let filling = this.#fill(current, start, end);
    try {
      for (let position = start, chunks = 1; position < end; chunks += 1) {
        const bytes = await filling;
        if (bytes === 0) throw changed("ended early");
        const chunk = current.subarray(0, bytes);
        position += bytes;
        // Looked at before the last chunk goes out: afterwards the upload might be complete.
        if (position === end || chunks % chunksBetweenLooks === 0) await this.#look();
        [current, other] = [other, current];
        if (position < end) filling = this.#fill(current, position, end);
        yield chunk;
      }
    } finally {
      // The handle may be closed next, and must not be while a read is under way.
      await filling.catch(() => 0);
    }
  }

  #fill(buffer: Buffer, position: number, end: number): Promise<number> {
    const wanted = Math.min(buffer.length, end - position);
    const filling = this.#handle.read(buffer, 0, wanted, position).then(
      ({ bytesRead }) => bytesRead,
      (cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new UploadError("source-unreadable", `cannot read the file: ${reason}`, { cause });
      },
    );
    // It may fail while the chunk before is still being sent; whoever awaits it hears of it.
    filling.catch(() => undefined);
    return filling;
  }

  async #look(): Promise<void> {
    const now = await this.#handle.stat({ bigint: true });
    if (now.size !== this.#opened.size) {
      throw changed(`had ${this.#opened.size.toString()} bytes, now ${now.size.toString()}`);
    }
    if (now.mtimeNs !== this.#opened.mtimeNs) throw changed("was written to");
  }
}

function changed(how: string): UploadError {
  return new UploadError("source-changed", `the file changed while it was uploaded: it ${how}`, {
    hint: "Wait until nothing writes to the file any more, then upload it again.",
  });
}
