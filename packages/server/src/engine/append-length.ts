import type { Body } from "../base/body.ts";
import type { Upload } from "../catalog/records.ts";

/**
 * When a request completes the upload it appends to: once the length is reached, wherever its body
 * ends, or only by what the upload itself completes at. A body that is cut completes nothing.
 */
export type AppendCompletion = "at_length" | "at_end" | "as_created";

export interface LengthWords {
  readonly offset: number;
  readonly body: Pick<Body, "announcedLength">;
  readonly completes?: AppendCompletion;
  readonly length?: number | undefined;
}

/** The whole length as a request tells it, outright or by what its body announces. */
export function declaredLength({
  offset,
  body,
  completes,
  length,
}: LengthWords): number | undefined {
  const { announcedLength } = body;
  if (length !== undefined || completes !== "at_end" || announcedLength === undefined)
    return length;
  return offset + announcedLength;
}

/** Whether a clean end of the body at `position` completes the upload. */
export function completesAt(
  position: number,
  { completes = "at_length" }: Pick<LengthWords, "completes">,
  upload: Pick<Upload, "length" | "completes">,
): boolean {
  if (completes === "at_end") return upload.length === undefined || position === upload.length;
  if (completes === "as_created" && upload.completes === "when_told") return false;
  return position === upload.length;
}
