// Node's public door, with index.shared.ts: what is exported here is the package, everything else
// may change.
import type { GraphClient } from "./dialects/graph-client.ts";
import type { ConnectionOptions, StandardUploadOptions, UploadOptions } from "./options.ts";
import type { NodeInput } from "./platform/node.ts";
import { nodePlatform, nodeTransport } from "./platform/node.ts";
import type { Platform } from "./platform/platform.ts";
import type { UploadTask } from "./task.ts";
import type { DownloadTransport, Transport } from "./transports/transport.ts";
import { connectGraphOver, uploadOn } from "./upload.ts";

export * from "./index.shared.ts";
export { FileResumeStore } from "./resume-store/file.ts";
export { fileIdentity } from "./sources/path.ts";
export type { SpoolOptions } from "./sources/spool.ts";
export { spoolSource } from "./sources/spool.ts";
export type { NodeInput } from "./platform/node.ts";
export { nodePlatform, nodeTransport } from "./platform/node.ts";
export { UploadQueue } from "./queue.ts";

/**
 * Uploads a file and answers a task to await, watch, abort or cancel.
 *
 * Cuts, stalls and servers in trouble are met by asking for the offset and going on there. With a
 * `resumeStore` the same call in a later process goes on where this one stopped, once it is sure
 * that the file is still the same.
 *
 * @example
 * const { handle } = await upload("film.mp4", { appId: "1234", token });
 *
 * @param source a path, a `file:` URL, bytes, a `Blob`, or an open file
 * @throws UploadError `invalid-option` at once; everything else rejects the task
 */
export function upload(
  source: NodeInput,
  options: UploadOptions | StandardUploadOptions,
  platform: Platform<NodeInput> = nodePlatform,
): UploadTask {
  return uploadOn(platform, source, options);
}

/**
 * The Graph routes one by one, for callers that need more than `upload`.
 *
 * @example
 * const graph = connectGraph({ url, appId: "app", token });
 * const { entries, after } = await graph.listUploads({ status: "open", limit: 100 });
 *
 * @throws UploadError `invalid-option`
 */
export function connectGraph(
  options: ConnectionOptions,
  transport: Transport & DownloadTransport = nodeTransport,
): GraphClient {
  return connectGraphOver(transport, options);
}
