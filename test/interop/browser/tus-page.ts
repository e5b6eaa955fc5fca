// Runs in the browser: what a page of somebody's does with tus-js-client, for a test to look at.
import { Upload, type HttpRequest, type HttpResponse, type UploadOptions } from "tus-js-client";

import { publish } from "../../../examples/other-clients/publish.ts";
import { sendFile, sendStream } from "../../../examples/other-clients/tus-js-client.ts";

/** How an upload ended, as data that can leave the page. */
export interface Outcome {
  readonly url?: string;
  readonly failure?: string;
}

/** One request, with what a page of another origin may read of its answer. */
export interface Seen {
  readonly method: string;
  /** Undefined while there is no answer, and where none came. */
  status?: number;
  /** `Upload-Offset` of the request, as it was sent. */
  readonly offset: string | undefined;
  location?: string | null;
}

/** The options that are data. `protocol` is not in the client's own types. */
type PlainOptions = Pick<
  UploadOptions,
  | "chunkSize"
  | "parallelUploads"
  | "uploadDataDuringCreation"
  | "overridePatchMethod"
  | "addRequestId"
  | "retryDelays"
> & { readonly protocol?: string };

interface Server {
  readonly url: string;
  readonly token: string;
}

const requests: Seen[] = [];
const seenOf = new Map<HttpRequest, Seen>();
let outcome: Promise<Outcome> | undefined;

const watching = {
  onBeforeRequest: (request: HttpRequest) => {
    const offset = request.getHeader("Upload-Offset");
    const seen: Seen = { method: request.getMethod(), offset };
    requests.push(seen);
    seenOf.set(request, seen);
  },
  onAfterResponse: (request: HttpRequest, response: HttpResponse) => {
    const seen = seenOf.get(request);
    if (seen === undefined) return;
    seen.status = response.getStatus();
    seen.location = response.getHeader("Location") ?? null;
  },
};

function watch(sent: Promise<string>): void {
  outcome = sent.then(
    (url) => ({ url }),
    (error: unknown) => ({ failure: String(error) }),
  );
}

/** Begins with the file that was picked. */
function begin(server: Server, options: PlainOptions): void {
  const file = document.querySelector<HTMLInputElement>("#file")?.files?.[0];
  if (file === undefined) throw new Error("no file was picked");
  watch(sendFile(file, server, { ...watching, ...options }));
}

/** As `begin`, with what the file streams, whose length nobody is told. */
function beginStream(server: Server, options: PlainOptions): void {
  const file = document.querySelector<HTMLInputElement>("#file")?.files?.[0];
  if (file === undefined) throw new Error("no file was picked");
  watch(sendStream(file.stream(), server, { ...watching, ...options }));
}

/** Gives an upload up. */
function terminate(upload: string, token: string, protocol: string): Promise<void> {
  const options = { headers: { Authorization: `Bearer ${token}` }, protocol };
  return Upload.terminate(upload, options);
}

/** Publishes a complete upload and reads the file: the SHA-256 of its bytes. */
async function publishedDigest(upload: string, token: string): Promise<number[]> {
  const file = await publish(upload, token);
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(new URL(`/v21.0/${file}/content`, upload), { headers });
  const digest = await crypto.subtle.digest("SHA-256", await answer.arrayBuffer());
  return [...new Uint8Array(digest)];
}

const page = {
  begin,
  beginStream,
  terminate,
  publishedDigest,
  requests,
  outcome: () => outcome,
};

declare global {
  /** In the page only. */
  var tusPage: typeof page;
}
globalThis.tusPage = page;
