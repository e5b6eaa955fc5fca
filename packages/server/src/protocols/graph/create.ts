import { uploadLengthMax, type AppDetails } from "../../access/apps.ts";
import type { Principal } from "../../access/scopes.ts";
import { uploadError } from "../../base/errors.ts";
import { createUpload } from "../../engine/create.ts";
import { parseDecimal } from "../decimal.ts";
import { validFileName } from "../file-name.ts";
import { fileNameOf } from "./names.ts";
import { Parameters } from "./parameters.ts";
import { answerJson, principalOf, type GraphRequest } from "./request.ts";

/** Parameters that become part of the id, in the caller's order. */
const accepted = ["file_name", "file_length", "file_type", "session_type"];

/** POST /{version}/{app-id}/uploads */
export async function start(request: GraphRequest, node: string): Promise<void> {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "create");
  const app = await ownApp(request, principal, node);
  const upload = await createUpload(request.parts.engine, {
    id: request.parts.engine.random.uuid(),
    app,
    userId: principal.userId,
    name: fileName(parameters),
    length: fileLength(parameters, app),
    type: fileType(parameters, app),
    protocol: "graph",
    creation: creationOf(parameters),
    completes: "at_length",
  });
  request.exchange.logFacts.upload = upload.id;
  await answerJson(request, { id: request.parts.ids.format(upload) });
}

/** The app that a node of a route names: the token's own, by id or as `app`. */
export async function ownApp(
  request: GraphRequest,
  principal: Principal,
  node: string,
): Promise<AppDetails> {
  const isOwn = node === "app" || node === principal.appId;
  const app = isOwn ? await request.parts.apps.find(principal.appId) : undefined;
  if (app === undefined) throw uploadError("node_unknown", { node });
  return app;
}

function required(parameters: Parameters, name: string, valid: string): string {
  const text = parameters.text(name);
  if (text === undefined || text === "") {
    throw uploadError("parameter_invalid", { name, problem: "is missing", valid });
  }
  return text;
}

function fileName(parameters: Parameters): string {
  required(parameters, "file_name", validFileName);
  return fileNameOf(parameters, "file_name") ?? "";
}

function fileLength(parameters: Parameters, app: AppDetails): number {
  const most = uploadLengthMax(app);
  const valid = `a decimal number of bytes from 1 to ${most}`;
  const text = required(parameters, "file_length", valid);
  const length = parseDecimal(text, most);
  if (length === undefined || length === 0) {
    const problem = /^[1-9]\d*$/.test(text) ? "is too large" : "is not a number of bytes";
    throw uploadError("parameter_invalid", { name: "file_length", problem, valid });
  }
  return length;
}

function fileType(parameters: Parameters, app: AppDetails): string {
  const valid = app.types.join(", ");
  const type = required(parameters, "file_type", valid);
  if (!app.types.includes(type)) {
    const problem = "is not a type that this app takes";
    throw uploadError("parameter_invalid", { name: "file_type", problem, valid });
  }
  return type;
}

function creationOf(parameters: Parameters): string {
  const given = parameters.names.filter((name) => accepted.includes(name));
  return new URLSearchParams(given.map((name) => [name, parameters.text(name) ?? ""])).toString();
}
