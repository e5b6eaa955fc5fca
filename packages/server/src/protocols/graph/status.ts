import { requireScope } from "../../access/scopes.ts";
import { formatCrc32 } from "../../base/crc32.ts";
import { uploadError } from "../../base/errors.ts";
import { refuseEnded } from "../../engine/append.ts";
import { handleOf } from "../../engine/handle.ts";
import { findSettled } from "../../engine/look-up.ts";
import type { Upload } from "../../engine/records.ts";
import { fieldsOf } from "./fields.ts";
import { answerJson, baseUrlOf, type GraphRequest } from "./request.ts";
import { uploadOf, type UploadRoute } from "./session.ts";

const extras = ["file_length", "status", "crc32", "expires_at", "url", "h"];
const known = ["id", "file_offset", ...extras];

/** GET /{version}/upload:{id} */
export async function status(request: GraphRequest, route: UploadRoute): Promise<void> {
  const { parts } = request;
  const { upload: found, principal } = await uploadOf(request, route);
  requireScope(principal, "read");
  const upload = await findSettled(parts.engine, found);
  refuseEnded(upload);
  const asked = route.parameters.getAll("fields");
  if (asked.length > 1) {
    throw uploadError("parameter_invalid", {
      name: "fields",
      problem: "is given more than once",
      valid: "one list, separated by commas",
    });
  }
  const wanted = fieldsOf(asked[0], known) ?? [];
  const base = { id: parts.ids.format(upload), file_offset: upload.offset };
  const more = Object.fromEntries(
    wanted
      .filter((name) => extras.includes(name))
      .map((name) => [name, fieldOf(request, upload, name)]),
  );
  const handle =
    wanted.includes("h") && upload.state === "complete"
      ? { h: await handleOf(parts.engine, upload) }
      : {};
  await answerJson(request, { ...base, ...more, ...handle });
}

function fieldOf(request: GraphRequest, upload: Upload, name: string): unknown {
  switch (name) {
    case "file_length":
      return upload.length;
    case "status":
      return upload.state;
    case "crc32":
      return formatCrc32(upload.crc32);
    case "expires_at":
      return new Date(upload.expiresAt).toISOString();
    case "url":
      return `${baseUrlOf(request)}/uploads/${upload.id}`;
    default:
      return undefined;
  }
}
