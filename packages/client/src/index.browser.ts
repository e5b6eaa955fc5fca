// The browser's public door, with index.shared.ts. Nothing that it reaches may import from Node.
import type { GraphClient } from "./dialects/graph-client.ts";
import type { ConnectionOptions, StandardUploadOptions, UploadOptions } from "./options.ts";
import type { BrowserInput } from "./platform/browser.ts";
import { browserPlatform } from "./platform/browser.ts";
import type { Platform } from "./platform/platform.ts";
import type { UploadTask } from "./task.ts";
import { browserTransport } from "./transports/browser-transport.ts";
import type { DownloadTransport, Transport } from "./transports/transport.ts";
import { connectGraphOver, uploadOn } from "./upload.ts";

export * from "./index.shared.ts";
export type { BrowserInput } from "./platform/browser.ts";
export { browserPlatform, fileIdentity } from "./platform/browser.ts";
export { UploadQueue } from "./queue.browser.ts";
export { browserTransport } from "./transports/browser-transport.ts";

/**
 * Uploads a file and answers a task to await, watch, abort or cancel. The file is never read into
 * memory as a whole.
 *
 * Cuts, stalls and servers in trouble are met by asking for the offset and going on there. With a
 * `resumeStore` the same call after a reload goes on where this one stopped, once it is sure that
 * the file is still the same.
 *
 * @example
 * const { handle } = await upload(input.files[0], { url, appId: "1234", token });
 *
 * @param source a `File`, a `Blob`, bytes, or a handle that a file picker gave
 * @throws UploadError `invalid-option` at once; everything else rejects the task
 */
export function upload(
  source: BrowserInput,
  options: UploadOptions | StandardUploadOptions,
  platform: Platform<BrowserInput> = browserPlatform,
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
  transport: Transport & DownloadTransport = browserTransport,
): GraphClient {
  return connectGraphOver(transport, options);
}
