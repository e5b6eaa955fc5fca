import { uploadOfHandle } from "../../engine/handle.ts";
import { publish } from "../../engine/publish.ts";
import { uploadError } from "../../base/errors.ts";
import { descriptionOf, titleOf } from "./names.ts";
import { Parameters } from "./parameters.ts";
import { answerJson, principalOf, type GraphRequest } from "./request.ts";

/** Other endpoints of the real service that take a handle, for a team's own trials. */
export const consumers: Readonly<Record<string, (request: GraphRequest) => Promise<void>>> = {
  videos: publishVideo,
  advideos: publishVideo,
  whatsapp_business_profile: setProfilePicture,
  message_templates: createTemplate,
};

async function publishVideo(request: GraphRequest): Promise<void> {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "publish");
  const file = await publish(request.parts.engine, {
    appId: principal.appId,
    handle: parameters.text("fbuploader_video_file_chunk") ?? "",
    name: titleOf(parameters),
    description: descriptionOf(parameters),
  });
  await answerJson(request, { id: file.id });
}

async function setProfilePicture(request: GraphRequest): Promise<void> {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "publish");
  const handle = parameters.text("profile_picture_handle") ?? "";
  await uploadOfHandle(request.parts.engine, handle, principal.appId);
  await answerJson(request, { success: true });
}

async function createTemplate(request: GraphRequest): Promise<void> {
  const parameters = await Parameters.read(request.exchange);
  const principal = await principalOf(request, parameters, "publish");
  const handles = headerHandles(parameters.all("components"));
  for (const handle of handles) {
    await uploadOfHandle(request.parts.engine, handle, principal.appId);
  }
  await answerJson(request, {
    id: request.parts.engine.random.numericId(),
    status: "PENDING",
    category: parameters.text("category") ?? "UTILITY",
  });
}

/** Every `example.header_handle` in the components, which come as JSON or as JSON in a field. */
function headerHandles(values: readonly unknown[]): string[] {
  const components = values.flatMap((value) => (typeof value === "string" ? parse(value) : value));
  return components.flatMap((component) => {
    const example = property(component, "example");
    const handles = property(example, "header_handle");
    return Array.isArray(handles) ? handles.map(handleText) : [];
  });
}

function handleText(value: unknown): string {
  if (typeof value === "string") return value;
  throw uploadError("handle_invalid", { problem: "it is not a text" });
}

function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function parse(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch {
    throw uploadError("parameter_invalid", {
      name: "components",
      problem: "is not JSON",
      valid: "a list of components",
    });
  }
}
