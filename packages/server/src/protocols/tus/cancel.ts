import { terminate } from "../../engine/cancel.ts";
import { uploadHeaders, uploadOf, type StandardRequest } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { commonHeaders } from "./fields.ts";

/** DELETE /uploads/{id} */
export async function remove(request: StandardRequest, route: StandardRoute): Promise<void> {
  const { upload } = await uploadOf(request, route, "delete");
  await terminate(request.parts.engine, upload.id);
  await request.exchange.respond({
    status: 204,
    headers: { ...commonHeaders, ...uploadHeaders(request, upload) },
  });
}
