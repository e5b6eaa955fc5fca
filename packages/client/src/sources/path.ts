import { constants, open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { Crc32 } from "../crc32.ts";
import { UploadError } from "../errors.ts";
import { fileHandleSource } from "./file-handle.ts";
import type { Source } from "./source.ts";

/** What a file is called in the resume store: its absolute path, whatever it holds. */
export function fileIdentity(path: string): string {
  return `file:${resolve(path)}`;
}

// A named pipe opened for reading would wait for its writer, and could not be resumed anyway.
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** A file by its path, opened now and until `close`. */
export async function pathSource(path: string, crc32: Crc32): Promise<Source> {
  const absolute = resolve(path);
  const handle = await open(absolute, readFlags).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const names = { name: basename(absolute), path };
    const source = await fileHandleSource(handle, crc32, names);
    return { ...source, identity: fileIdentity(path), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function unreadable(path: string, cause: unknown): UploadError {
  const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  const words = cause instanceof Error ? cause.message : String(cause);
  const reason = missing ? "there is no such file" : words;
  return new UploadError("source-unreadable", `cannot open ${path}: ${reason}`, {
    cause,
    hint: "Check the path and that you may read the file.",
  });
}
