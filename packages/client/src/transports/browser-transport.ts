import { fetchDownload } from "./fetch-download.ts";
import type { DownloadTransport, Transport } from "./transport.ts";
import { sendXhr } from "./xhr.ts";

/** A browser's transport for downloads as well; a page that only uploads need not load it. */
export const browserTransport: Transport & DownloadTransport = {
  send: sendXhr,
  receive: fetchDownload,
};
