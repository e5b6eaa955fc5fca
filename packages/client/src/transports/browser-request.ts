import { UploadError } from "../errors.ts";
import type { TransportBody, TransportRequest } from "./transport.ts";

/**
 * The address as it is. A browser puts every address through its own parser: one that would come
 * out of it changed names something else, and is not asked for.
 */
export function browserUrl({ url }: TransportRequest): string {
  const path = url.slice(url.indexOf("/", "https://".length));
  const { pathname, search, hash } = new URL(url);
  if (hash === "" && pathname + search === path) return url;
  throw new UploadError("bad-answer", `a browser cannot ask for ${path} as it is`);
}

/** The body for a browser to send. What has no `blob` is small or in memory already. */
export async function browserBody(body: TransportBody): Promise<Blob> {
  if (body.blob !== undefined) return body.blob();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  // A chunk is only lent, hence the copies.
  for await (const chunk of body.open()) parts.push(new Uint8Array(chunk));
  return new Blob(parts);
}

/** What is known when a browser says that a request failed, which is no more than that. */
export function connectionFailed(cause?: unknown): UploadError {
  return new UploadError("network", "the connection failed; a browser does not say why", {
    cause,
    hint: "Can the server be reached, and does it allow this page's origin (CORS)?",
  });
}
