import { systemClock } from "../clock.ts";
import { toError, UploadError } from "../errors.ts";
import { slicingCrc32 } from "../slicing-crc32.ts";
import { blobSource } from "../sources/blob.ts";
import type { Source } from "../sources/source.ts";
import { sendXhr } from "../transports/xhr.ts";
import { browserConnectivity } from "./connectivity.ts";
import type { Platform } from "./platform.ts";

/** What can be uploaded in a browser; a handle is what `showOpenFilePicker` or a drop gives. */
export type BrowserInput = File | Blob | Uint8Array | FileSystemFileHandle;

/** A browser's parts put together. */
export const browserPlatform: Platform<BrowserInput> = Object.freeze({
  clock: systemClock,
  random: Math.random,
  crc32: slicingCrc32,
  transport: { send: sendXhr },
  connectivity: browserConnectivity(globalThis),
  openSource,
});

/**
 * What a file is called in the resume store: its name and what it holds at both ends, because a
 * page never learns where a file lies. Reads 2 MiB at most.
 */
export async function fileIdentity(file: Blob): Promise<string> {
  const { identity } = await blobSource(file, slicingCrc32);
  return identity;
}

async function openSource(input: BrowserInput): Promise<Source> {
  return blobSource(await blobOf(input), slicingCrc32);
}

async function blobOf(input: BrowserInput): Promise<Blob> {
  if (input instanceof Blob) return input;
  // `as` because a Blob takes memory of any kind, which its type does not say.
  if (input instanceof Uint8Array) return new Blob([input as Uint8Array<ArrayBuffer>]);
  return fileOf(input);
}

async function fileOf(handle: FileSystemFileHandle): Promise<File> {
  try {
    return await handle.getFile();
  } catch (cause) {
    const { message } = toError(cause);
    throw new UploadError("source-unreadable", `cannot open ${handle.name}: ${message}`, {
      cause,
      hint: "After a reload call the handle's requestPermission.",
    });
  }
}
