import { uploadError } from "../../base/errors.ts";
import { findFile, findUpload, listFiles, listUploads, type Place } from "../../engine/look-up.ts";
import type { UploadState } from "../../engine/records.ts";
import { ownApp } from "./create.ts";
import { pageSizeOf } from "./fields.ts";
import { fileJson } from "./files.ts";
import { Parameters } from "./parameters.ts";
import { answerJson, principalOf, type GraphRequest } from "./request.ts";

const states: readonly UploadState[] = [
  "open",
  "complete",
  "rejected",
  "cancelled",
  "expired",
  "damaged",
];

/** GET /{version}/{app-id}/uploads */
export async function uploadsEdge(request: GraphRequest, node: string): Promise<void> {
  const { parts } = request;
  const { parameters, appId, limit, after } = await pageOf(request, node);
  const rows = await listUploads(parts.engine, {
    appId,
    limit: limit + 1,
    state: stateOf(parameters.text("status")),
    after: await placeOf(after, (id) => findUpload(parts.engine, id, appId)),
  });
  const data = rows.slice(0, limit).map((upload) => ({
    id: parts.ids.format(upload),
    file_name: upload.name,
    file_type: upload.type,
    file_length: upload.length,
    file_offset: upload.offset,
    status: upload.state,
    created_time: new Date(upload.createdAt).toISOString(),
    expires_at: new Date(upload.expiresAt).toISOString(),
  }));
  await answerJson(request, page(data, rows.slice(0, limit), rows.length > limit));
}

/** GET /{version}/{app-id}/files */
export async function filesEdge(request: GraphRequest, node: string): Promise<void> {
  const { engine } = request.parts;
  const { appId, limit, after } = await pageOf(request, node);
  const rows = await listFiles(engine, {
    appId,
    limit: limit + 1,
    after: await placeOf(after, (id) => findFile(engine, id, appId)),
  });
  const shown = rows.slice(0, limit);
  const data = shown.map((file) => fileJson(request, file));
  await answerJson(request, page(data, shown, rows.length > limit));
}

async function pageOf(request: GraphRequest, node: string) {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "read");
  const app = await ownApp(request, principal, node);
  const limit = pageSizeOf(parameters.text("limit"));
  return { parameters, appId: app.id, limit, after: parameters.text("after") };
}

function page(data: object[], rows: readonly Place[], hasMore: boolean): object {
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined) return { data };
  const cursors = { before: cursor(first), ...(hasMore ? { after: cursor(last) } : {}) };
  return { data, paging: { cursors } };
}

/** The place itself, not only its name: what stands there may be deleted by the next page. */
function cursor({ createdAt, id }: Place): string {
  return Buffer.from(`${createdAt}.${id}`).toString("base64url");
}

async function placeOf(
  text: string | undefined,
  find: (id: string) => Promise<Place>,
): Promise<Place | undefined> {
  if (text === undefined) return undefined;
  const place = Buffer.from(text, "base64url").toString();
  const [, createdAt, id] = /^(?:(\d{1,15})\.)?([0-9a-f-]{1,40})$/.exec(place) ?? [];
  if (id !== undefined && createdAt !== undefined) return { createdAt: Number(createdAt), id };
  // A cursor of an earlier version.
  if (id !== undefined) return await find(id);
  throw uploadError("parameter_invalid", {
    name: "after",
    problem: "is not a cursor of this list",
    valid: "paging.cursors.after of the page before",
  });
}

function stateOf(text: string | undefined): UploadState | undefined {
  if (text === undefined) return undefined;
  const state = states.find((known) => known === text);
  if (state !== undefined) return state;
  throw uploadError("parameter_invalid", {
    name: "status",
    problem: "is not a status",
    valid: states.join(", "),
  });
}
