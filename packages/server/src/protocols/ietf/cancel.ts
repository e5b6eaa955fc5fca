import { terminate } from "../../engine/cancel.ts";
import { uploadHeaders, uploadOf } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { refuseEnded } from "./ended.ts";
import { refuseForeignFields } from "./foreign-fields.ts";
import type { IetfRequest } from "./request.ts";

/** Upload cancellation: DELETE /uploads/{id}. What was published of a complete upload stays. */
export async function cancelUpload(request: IetfRequest, route: StandardRoute): Promise<void> {
  const { upload } = await uploadOf(request, route, "delete");
  refuseForeignFields(request, "DELETE");
  refuseEnded(upload, request.fields.rules);
  await terminate(request.parts.engine, upload.id);
  const headers = { "Cache-Control": "no-store", ...uploadHeaders(request, upload) };
  await request.exchange.respond({ status: 204, headers });
}
