import type { Upload } from "../../engine/records.ts";
import { metadataOf } from "./metadata.ts";

/** What an upload was created with and HEAD must tell as it came. */
export interface TusCreation {
  readonly metadata: string | undefined;
  readonly concat: string | undefined;
}

export const protocolName = "tus";

export function formatCreation({ metadata, concat }: TusCreation): string {
  return JSON.stringify({ metadata, concat });
}

/** An upload of another protocol has metadata, too: its name and its type. */
export function creationOf(
  upload: Pick<Upload, "protocol" | "creation" | "name" | "type">,
): TusCreation {
  if (upload.protocol !== protocolName) {
    const metadata = metadataOf({ filename: upload.name, filetype: upload.type });
    return { metadata, concat: undefined };
  }
  // Written by formatCreation and by nothing else.
  return JSON.parse(upload.creation) as TusCreation;
}
