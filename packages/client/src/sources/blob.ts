import type { Crc32 } from "../crc32.ts";
import { toError, UploadError } from "../errors.ts";
import { readEnds } from "./fingerprint.ts";
import { typeFromContent, typeFromName } from "./media-type.ts";
import type { Source } from "./source.ts";

/** A `Blob`, or a `File` with its name and time of change. */
export async function blobSource(blob: Blob, crc32: Crc32): Promise<Source> {
  const { name, lastModified }: Partial<File> = blob instanceof File ? blob : {};
  const open = (start: number, end: number) => read(blob, start, end);
  const ends = await readEnds({ length: blob.size, open }, String(lastModified ?? ""), crc32);
  const contentType = typeFromContent(ends.head);
  // Without parameters such as a recording's `codecs`: an app's types are matched as they are.
  const ownType = /^[^;]+/.exec(blob.type)?.[0];
  return {
    name,
    length: blob.size,
    type: ownType ?? typeFromName(name ?? "") ?? contentType,
    contentType,
    // A blob has no place on the machine: only what it is can tell that it is the same one.
    identity: `blob:${name ?? ""}:${ends.fingerprint}`,
    fingerprint: ends.fingerprint,
    open,
    blob: (start, end) => blob.slice(start, end),
    close: () => Promise.resolve(),
  };
}

/** Throws when a file has changed, or cannot be read any more, since the blob was made of it. */
export async function refuseChanged(blob: Blob): Promise<void> {
  try {
    // Any read makes the browser look at the file's time of change.
    await blob.slice(0, 1).arrayBuffer();
  } catch (cause) {
    throw unreadable(cause);
  }
}

async function* read(blob: Blob, start: number, end: number): AsyncGenerator<Uint8Array> {
  if (start >= end) return;
  const reader = blob.slice(start, end).stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw unreadable(cause);
  } finally {
    // One that failed cannot be let go of, and need not be.
    await reader.cancel().catch(() => undefined);
  }
}

/** A `File` stands for the file as it was picked: of one that changed no byte can be read. */
function unreadable(thrown: unknown): UploadError {
  const cause = toError(thrown);
  if (cause.name === "NotReadableError") {
    return new UploadError("source-changed", "the file changed since it was picked", {
      cause,
      hint: "When nothing writes to it, pick it again.",
    });
  }
  return new UploadError("source-unreadable", `cannot read the file: ${cause.message}`, {
    cause,
    hint: "Was it moved or removed? Pick it again.",
  });
}
