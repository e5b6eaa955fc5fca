import { formatCrc32 } from "../../base/crc32.ts";
import { uploadError } from "../../base/errors.ts";
import { sha256Of } from "../../engine/digest.ts";
import { deleteFile, findFile } from "../../engine/look-up.ts";
import { publish } from "../../engine/publish.ts";
import type { PublishedFile } from "../../engine/records.ts";
import { ownApp } from "./create.ts";
import { fieldsOf } from "./fields.ts";
import { descriptionOf, fileNameOf } from "./names.ts";
import { Parameters } from "./parameters.ts";
import { answerJson, baseUrlOf, principalOf, type GraphRequest } from "./request.ts";

const fileFields = [
  "id",
  "name",
  "description",
  "mime_type",
  "size",
  "crc32",
  "sha256",
  "created_time",
  "url",
];

/** POST /{version}/{app-id}/files */
export async function publishFile(request: GraphRequest, node: string): Promise<void> {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "publish");
  const app = await ownApp(request, principal, node);
  const handle = parameters.text("handle");
  if (handle === undefined || handle === "") {
    throw uploadError("parameter_invalid", {
      name: "handle",
      problem: "is missing",
      valid: "the h that the last request of an upload answers",
    });
  }
  const file = await publish(request.parts.engine, {
    appId: app.id,
    handle,
    name: fileNameOf(parameters, "name"),
    description: descriptionOf(parameters),
  });
  await answerJson(request, { id: file.id });
}

/** GET /{version}/{file-id} */
export async function showFile(request: GraphRequest, id: string): Promise<void> {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "read");
  const file = await findFile(request.parts.engine, id, principal.appId);
  const fields = fieldsOf(parameters.text("fields"), fileFields);
  const all: Record<string, unknown> = fileJson(request, file);
  if (fields?.includes("sha256") === true) {
    all.sha256 = await sha256Of(request.parts.engine, file, request.exchange.signal);
  }
  const names = fields === undefined ? Object.keys(all) : ["id", ...fields];
  await answerJson(request, Object.fromEntries(names.map((name) => [name, all[name]])));
}

/** DELETE /{version}/{file-id} */
export async function removeFile(request: GraphRequest, id: string): Promise<void> {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "delete");
  await deleteFile(request.parts.engine, await findFile(request.parts.engine, id, principal.appId));
  await answerJson(request, { success: true });
}

/** The fields that cost nothing; a SHA-256 that is not known yet has to be asked for. */
export function fileJson(request: GraphRequest, file: PublishedFile): Record<string, unknown> {
  return {
    id: file.id,
    name: file.name,
    ...(file.description === undefined ? {} : { description: file.description }),
    mime_type: file.type,
    size: file.size,
    crc32: formatCrc32(file.crc32),
    ...(file.sha256 === undefined ? {} : { sha256: file.sha256 }),
    created_time: new Date(file.createdAt).toISOString(),
    url: `${baseUrlOf(request)}/${request.version}/${file.id}/content`,
  };
}
