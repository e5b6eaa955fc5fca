import type { Crc32 } from "../crc32.ts";
import { readEnds } from "./fingerprint.ts";
import { typeFromContent, typeFromName } from "./media-type.ts";
import type { Source } from "./source.ts";

/** A `Blob`, or a `File` with its name and time of change. */
export async function blobSource(blob: Blob, crc32: Crc32): Promise<Source> {
  const file = blob instanceof File ? blob : undefined;
  const open = (start: number, end: number) => read(blob, start, end);
  const changed = file === undefined ? "" : String(file.lastModified);
  const ends = await readEnds({ length: blob.size, open }, changed, crc32);
  const contentType = typeFromContent(ends.head);
  const ownType = blob.type === "" ? undefined : blob.type;
  return {
    name: file?.name,
    length: blob.size,
    type: ownType ?? typeFromName(file?.name ?? "") ?? contentType,
    contentType,
    // A blob has no place on the machine: only what it is can tell that it is the same one.
    identity: `blob:${file?.name ?? ""}:${ends.fingerprint}`,
    fingerprint: ends.fingerprint,
    open,
    close: () => Promise.resolve(),
  };
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
  } finally {
    await reader.cancel();
  }
}
