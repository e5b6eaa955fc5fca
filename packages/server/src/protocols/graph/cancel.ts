import { requireScope } from "../../access/scopes.ts";
import { cancel } from "../../engine/cancel.ts";
import { answerJson, type GraphRequest } from "./request.ts";
import { uploadOf, type UploadRoute } from "./session.ts";

/** DELETE /{version}/upload:{id} */
export async function giveUp(request: GraphRequest, route: UploadRoute): Promise<void> {
  const { upload, principal } = await uploadOf(request, route);
  requireScope(principal, "delete");
  await cancel(request.parts.engine, upload.id);
  await answerJson(request, { success: true });
}
