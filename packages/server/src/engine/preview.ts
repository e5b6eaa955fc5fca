import { uploadError } from "../base/errors.ts";
import { isFileId, isUploadId, settledUpload } from "./look-up.ts";
import type { PublishedFile, Upload } from "../catalog/records.ts";
import type { EngineParts } from "./parts.ts";

/** Complete bytes, whether they are published or not. */
export interface Previewable {
  readonly appId: string;
  readonly blobId: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly crc32: number;
}

export interface PreviewRequest {
  readonly kind: "upload" | "file";
  readonly id: string;
  /** Whether who asks may know of what this app has. */
  readonly mayKnow: (appId: string) => boolean;
}

/** `node_unknown` for what is not there or not to be known of, `parameter_invalid` unless complete. */
export async function findPreviewable(
  parts: EngineParts,
  { kind, id, mayKnow }: PreviewRequest,
): Promise<Previewable> {
  const found = kind === "file" ? await fileOf(parts, id) : await uploadOf(parts, id);
  if (found === undefined || !mayKnow(found.appId)) throw uploadError("node_unknown", { node: id });
  const { appId, blobId, name, type, crc32 } = found;
  if ("size" in found) return { appId, blobId, name, type, crc32, size: found.size };
  if (found.state !== "complete") {
    const problem = `names an upload that is ${found.state}`;
    const valid = "an upload that is complete, or a file";
    throw uploadError("parameter_invalid", { name: "upload", problem, valid });
  }
  return { appId, blobId, name, type, crc32, size: found.offset };
}

async function fileOf({ catalog }: EngineParts, id: string): Promise<PublishedFile | undefined> {
  return isFileId(id) ? await catalog.findFile(id) : undefined;
}

async function uploadOf(parts: EngineParts, id: string): Promise<Upload | undefined> {
  return isUploadId(id) ? await settledUpload(parts, id) : undefined;
}
