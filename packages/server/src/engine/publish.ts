import { uploadError } from "../base/errors.ts";
import type { PublishedFile } from "../catalog/records.ts";
import { requestAssembly } from "./assemble.ts";
import { uploadOfHandle } from "./handle.ts";
import type { EngineParts } from "./parts.ts";

export interface PublishRequest {
  readonly appId: string;
  readonly handle: string;
  readonly name: string | undefined;
  readonly description: string | undefined;
}

/** Publishes the upload a handle stands for. Repeating it returns the same file. */
export async function publish(parts: EngineParts, request: PublishRequest): Promise<PublishedFile> {
  const upload = await uploadOfHandle(parts, request.handle, request.appId);
  // Before the file is there: a crash in between must not leave a file that nobody assembles.
  if (parts.assembly !== "never") await requestAssembly(parts, upload.blobId);
  const file = await parts.catalog.insertFile({
    id: parts.random.numericId(),
    appId: upload.appId,
    uploadId: upload.id,
    blobId: upload.blobId,
    name: request.name ?? upload.name,
    description: request.description,
    type: upload.type,
    size: upload.offset,
    crc32: upload.crc32,
    sha256: upload.sha256,
    createdAt: parts.clock.now(),
  });
  if (file === undefined) throw uploadError("handle_invalid", { problem: "its file is gone" });
  return file;
}
