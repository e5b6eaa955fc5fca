import { GraphClient } from "./dialects/graph-client.ts";
import type { ConnectionOptions, UploadOptions } from "./options.ts";
import { parseConnection, parseUpload } from "./options.ts";
import type { Platform } from "./platform/platform.ts";
import { UploadTask } from "./task.ts";

/** `upload` on any platform; the doors (`index.ts`, `index.browser.ts`) name their own. */
export function uploadOn<Input>(
  platform: Platform<Input>,
  source: Input,
  options: UploadOptions,
): UploadTask {
  return UploadTask.begin(source, parseUpload(options), platform);
}

/** `connectGraph` on any platform. */
export function connectGraphOn<Input>(
  platform: Platform<Input>,
  options: ConnectionOptions,
): GraphClient {
  return new GraphClient(parseConnection(options), platform.transport);
}
