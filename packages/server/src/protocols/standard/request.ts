import type { AppDetails } from "../../access/apps.ts";
import { requireScope, type Principal, type Scope } from "../../access/scopes.ts";
import { UploadError, uploadError } from "../../base/errors.ts";
import { findUpload } from "../../engine/look-up.ts";
import type { Upload } from "../../engine/records.ts";
import type { Exchange } from "../../http/exchange.ts";
import { baseUrlOf } from "../base-url.ts";
import type { StandardParts } from "./parts.ts";
import { collectionPath, type StandardRoute } from "./route.ts";

/** What a handler of a standard protocol gets. */
export interface StandardRequest {
  readonly parts: StandardParts;
  readonly exchange: Exchange;
  /** What the client means to do, which X-HTTP-Method-Override may say. */
  readonly method: string;
  readonly seen: Seen;
}

/** What became known on the way: whatever is answered must say it, too. */
export interface Seen {
  /** The URL of an upload that this very request began. */
  location: string | undefined;
  /** `Link` of the upload that the request began or names, and that its token may see. */
  link: string | undefined;
}

export const nothingSeen: Readonly<Seen> = { location: undefined, link: undefined };

/** Notes an upload that this very request began. */
export function seeBegun(request: StandardRequest, upload: Upload): void {
  request.exchange.logFacts.upload = upload.id;
  request.seen.location = uploadUrlOf(request, upload.id);
  request.seen.link = uploadHeaders(request, upload).Link;
}

/** The same as headers. */
export function seenHeaders({ seen: { location, link } }: StandardRequest): Record<string, string> {
  return {
    ...(location === undefined ? {} : { Location: location }),
    ...(link === undefined ? {} : { Link: link }),
  };
}

/** Who asks. A token comes in the header alone. */
export async function principalOf(
  { parts, exchange }: StandardRequest,
  scope: Scope,
): Promise<Principal> {
  const principal = await parts.tokens.identify({
    authorization: exchange.headerValues("authorization"),
    parameters: [],
    headerOnly: true,
    origin: exchange.header("origin"),
    host: exchange.header("host"),
  });
  exchange.logFacts.app = principal.appId;
  requireScope(principal, scope);
  return principal;
}

/** Whose uploads these are, with what it allows. */
export async function appOf({ parts }: StandardRequest, principal: Principal): Promise<AppDetails> {
  const app = await parts.apps.find(principal.appId);
  if (app === undefined) throw uploadError("node_unknown", { node: principal.appId });
  return app;
}

/** The app of a token that may be missing or wrong: who asks for options need not have one. */
export async function knownAppOf(request: StandardRequest): Promise<AppDetails | undefined> {
  try {
    return await appOf(request, await principalOf(request, "create"));
  } catch (error) {
    if (error instanceof UploadError) return undefined;
    throw error;
  }
}

export interface FoundUpload {
  readonly upload: Upload;
  readonly principal: Principal;
}

/**
 * The upload a route names: first the token, and only then a look-up among what this token's app
 * owns.
 */
export async function uploadOf(
  request: StandardRequest,
  route: StandardRoute,
  scope: Scope,
): Promise<FoundUpload> {
  const principal = await principalOf(request, scope);
  if (route.kind !== "upload") {
    const node = route.kind === "unknown" ? route.name : collectionPath;
    throw uploadError("node_unknown", { node });
  }
  request.exchange.logFacts.upload = route.id;
  const upload = await findUpload(request.parts.engine, route.id, principal.appId);
  request.seen.link = uploadHeaders(request, upload).Link;
  return { upload, principal };
}

/** The absolute URL of an upload, as the client reaches us. */
export function uploadUrlOf({ parts, exchange }: StandardRequest, id: string): string {
  return `${baseUrlOf(exchange, parts)}${collectionPath}/${id}`;
}

/** Where Graph tells of the same upload, and, once that is complete, its handle. */
function graphUrlOf({ parts, exchange }: StandardRequest, upload: Upload): string {
  return `${baseUrlOf(exchange, parts)}${parts.graphPathOf(upload)}&fields=h`;
}

/** What every answer about an upload says, in either protocol. */
export function uploadHeaders(request: StandardRequest, upload: Upload): { readonly Link: string } {
  return { Link: `<${graphUrlOf(request, upload)}>; rel="describedby"` };
}
