import { uploadLengthMax, type AppDetails } from "../../access/apps.ts";
import type { Upload } from "../../engine/records.ts";
import {
  nothingSeen,
  uploadHeaders,
  uploadUrlOf,
  type Seen,
  type StandardRequest,
} from "../standard/request.ts";
import { flagHeader, type IetfFields } from "./fields.ts";
import { limitHeader, type UploadLimits } from "./limit-header.ts";

/** What a handler of this protocol gets. */
export interface IetfRequest extends StandardRequest {
  readonly fields: IetfFields;
  /** Whether interim answers may be sent to this client. */
  readonly informs: boolean;
  readonly seen: IetfSeen;
}

/** What else became known on the way: a refusal must say it, too. Handlers note it here. */
export interface IetfSeen extends Seen {
  app: AppDetails | undefined;
  /** Where an open upload stands; undefined once an append may have moved it. */
  offset: number | undefined;
  /** Whether the request is about an upload, whose completeness its answer then tells. */
  aboutUpload: boolean;
}

export function nothingSeenYet(): IetfSeen {
  return { ...nothingSeen, app: undefined, offset: undefined, aboutUpload: false };
}

/** What holds for an upload of this app; how long it still lives once there is one. */
export function limitsOf(
  { parts }: StandardRequest,
  app: AppDetails,
  upload?: Upload,
): UploadLimits {
  const size = { "max-size": uploadLengthMax(app) };
  if (upload === undefined) return size;
  const leftMs = upload.expiresAt - parts.engine.clock.now();
  return { ...size, "max-age": Math.max(0, Math.floor(leftMs / 1_000)) };
}

/** What every answer about an upload says: its state, and where else it is. */
export function stateHeaders(
  request: IetfRequest,
  app: AppDetails,
  upload: Upload,
): Record<string, string> {
  const { rules } = request.fields;
  return {
    "Cache-Control": "no-store",
    "Upload-Offset": String(upload.offset),
    ...flagHeader(rules, upload.state === "complete"),
    ...(upload.length === undefined ? {} : { "Upload-Length": String(upload.length) }),
    ...limitHeader(rules, limitsOf(request, app, upload)),
    ...uploadHeaders(request, upload),
  };
}

/** A creation's answers, interim and final, all name the same URL. */
export function locationHeader(
  request: IetfRequest,
  { id }: Upload,
): { readonly Location: string } {
  return { Location: uploadUrlOf(request, id) };
}
