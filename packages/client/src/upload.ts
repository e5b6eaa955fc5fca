import { GraphClient } from "./dialects/graph-client.ts";
import { TokenHolder } from "./dialects/token.ts";
import type { AnyUploadOptions, ConnectionOptions } from "./options.ts";
import { parseConnection, parseUpload } from "./options.ts";
import type { Platform } from "./platform/platform.ts";
import { UploadTask } from "./task.ts";
import type { DownloadTransport, Transport } from "./transports/transport.ts";

/** `upload` on any platform; the doors (`index.ts`, `index.browser.ts`) name their own. */
export function uploadOn<Input>(
  platform: Platform<Input>,
  source: Input,
  options: AnyUploadOptions,
): UploadTask {
  return new UploadTask(() => platform.openSource(source), parseUpload(options), platform);
}

/** `connectGraph` over any transport. */
export function connectGraphOver(
  transport: Transport & DownloadTransport,
  options: ConnectionOptions,
): GraphClient {
  const connection = parseConnection(options);
  return new GraphClient({ connection, transport, tokens: new TokenHolder(connection.token) });
}
