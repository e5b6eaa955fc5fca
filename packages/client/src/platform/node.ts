import type { FileHandle } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { systemClock } from "../clock.ts";
import { blobSource } from "../sources/blob.ts";
import { bufferSource } from "../sources/buffer.ts";
import { fileHandleSource } from "../sources/file-handle.ts";
import { pathSource } from "../sources/path.ts";
import type { Source } from "../sources/source.ts";
import { NodeHttpTransport } from "../transports/node-http.ts";
import type { Platform } from "./platform.ts";

/** What can be uploaded in Node: a path, a `file:` URL, bytes, a `Blob` or `File`, an open file. */
export type NodeInput = string | URL | Uint8Array | Blob | FileHandle;

/** Carries what `upload` and `connectGraph` send in Node, unless they are given another. */
export const nodeTransport = new NodeHttpTransport();

/** Node's parts put together. */
export const nodePlatform: Platform<NodeInput> = Object.freeze({
  clock: systemClock,
  random: Math.random,
  crc32,
  transport: nodeTransport,
  openSource,
});

async function openSource(input: NodeInput): Promise<Source> {
  if (typeof input === "string") return pathSource(input, crc32);
  if (input instanceof URL) return pathSource(fileURLToPath(input), crc32);
  if (input instanceof Uint8Array) return bufferSource(input, crc32);
  if (input instanceof Blob) return blobSource(input, crc32);
  return fileHandleSource(input, crc32);
}
