import { UploadError, uploadError } from "../../base/errors.ts";
import { append, type AppendRequest } from "../../engine/append.ts";
import { reject } from "../../engine/cancel.ts";
import type { Upload } from "../../engine/records.ts";
import { contentDigestOf, wholeSha256Of } from "../standard/digest-fields.ts";
import { principalOf } from "../standard/request.ts";
import { progressOf } from "./interim.ts";
import { IetfRefusal } from "./problems.ts";
import type { IetfRequest } from "./request.ts";

export interface Content {
  readonly offset: number;
  /** Whether it is the last of the upload: its clean end completes it, nothing else does. */
  readonly complete: boolean;
  /** Upload-Length, in bytes. */
  readonly length: number | undefined;
  readonly digests: Digests;
}

type Digests = Pick<AppendRequest, "digest" | "sha256">;

/** Fails with `parameter_invalid`: what is wrong with a digest is told before the content is read. */
export function digestsOf({ exchange }: IetfRequest): Digests {
  return { digest: contentDigestOf(exchange), sha256: wholeSha256Of(exchange) };
}

/** Appends the content of a request to the upload it began or names. */
export async function appendContent(
  request: IetfRequest,
  upload: Pick<Upload, "id" | "length" | "lengthMax" | "state">,
  content: Content,
): Promise<Upload> {
  const { parts, exchange, seen } = request;
  const { offset, complete, length, digests } = content;
  seen.offset = undefined;
  try {
    const after = await append(parts.engine, {
      id: upload.id,
      offset,
      body: exchange.body(),
      completes: complete ? "at_end" : "as_created",
      length,
      ...digests,
      onDurable: progressOf(request),
      dialect: "ietf",
      authorise: async () => {
        await principalOf(request, "append");
      },
    });
    exchange.logFacts.offset = after.offset;
    return after;
  } catch (error) {
    if (!(error instanceof UploadError) || error.detail.code !== "length_exceeded") throw error;
    return await refuseExcess(request, upload, { ...content, ...error.detail.facts });
  }
}

/** What the length would be by what the request says beforehand. */
export function declaredLength(
  { exchange: { announcedLength } }: IetfRequest,
  { offset, complete, length }: Omit<Content, "digests">,
): number | undefined {
  if (length !== undefined || !complete || announcedLength === undefined) return length;
  return offset + announcedLength;
}

/** Two words about the length in one request must not differ (section 4.1.3). */
export function refuseContradiction(request: IetfRequest, content: Content): void {
  const { offset, complete, length } = content;
  const { announcedLength } = request.exchange;
  if (length === undefined || announcedLength === undefined) return;
  const provided = offset + announcedLength;
  if (complete ? provided === length : provided <= length) return;
  throw uploadError("length_inconsistent", { offset, length, provided });
}

/**
 * More bytes than the upload can have. Where only words disagree nothing has happened; where bytes
 * would go beyond the length that was said, the upload is invalid from then on (section 4.4.2).
 */
async function refuseExcess(
  request: IetfRequest,
  upload: Pick<Upload, "id" | "length" | "lengthMax" | "state">,
  excess: Omit<Content, "length"> & { readonly offset: number; readonly length: number },
): Promise<never> {
  const { offset, length } = excess;
  const inconsistent = { status: 400, type: "inconsistent-upload-length" } as const;
  if (upload.state === "complete") {
    const detail = `The upload is complete with ${offset} bytes: no more can be appended.`;
    throw new IetfRefusal({ ...inconsistent, detail });
  }
  const declared = declaredLength(request, { ...excess, length: request.fields.length });
  if (upload.length === undefined && declared !== length) {
    throw uploadError("length_exceeded", { offset, length });
  }
  if (declared !== undefined && declared !== length) {
    throw uploadError("length_inconsistent", { offset, length, provided: declared });
  }
  await reject(request.parts.engine, upload.id, `more came than the ${length} bytes of its length`);
  const detail = `More came than the ${length} bytes of the upload's length: it is invalid now.`;
  throw new IetfRefusal({ ...inconsistent, detail });
}
