import { cancel } from "../../engine/cancel.ts";
import { uploadOf } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { refuseEnded } from "./ended.ts";
import { refuseForeignFields } from "./foreign-fields.ts";
import { IetfRefusal } from "./problems.ts";
import type { IetfRequest } from "./request.ts";

/** Upload cancellation: DELETE /uploads/{id} */
export async function cancelUpload(request: IetfRequest, route: StandardRoute): Promise<void> {
  const { upload } = await uploadOf(request, route, "delete");
  refuseForeignFields(request, "DELETE");
  refuseEnded(upload, request.fields.rules);
  if (upload.state === "complete") {
    throw new IetfRefusal({
      status: 409,
      type: "completed-upload",
      detail: "The upload is complete. Its file is deleted by the file's own id.",
    });
  }
  await cancel(request.parts.engine, upload.id);
  await request.exchange.respond({ status: 204, headers: { "Cache-Control": "no-store" } });
}
