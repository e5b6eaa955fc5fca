import { appOf, uploadOf } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { settle } from "../standard/settle.ts";
import { digestHeader, jsonType, stateJson } from "./answer.ts";
import { refuseEnded } from "./ended.ts";
import { refuseForeignFields } from "./foreign-fields.ts";
import { stateHeaders, type IetfRequest } from "./request.ts";

/**
 * Offset retrieval: HEAD or GET /uploads/{id}. Whoever asks means to go on: a request that is still
 * being sent ends first, so that the offset can be used (section 4.6).
 */
export async function status(request: IetfRequest, route: StandardRoute): Promise<void> {
  const { exchange, method, fields } = request;
  const { upload: found, principal } = await uploadOf(request, route, "read");
  refuseForeignFields(request, "HEAD");
  const upload = await settle(request, { upload: found, principal });
  refuseEnded(upload, fields.rules);
  const app = await appOf(request, principal);
  const headers = {
    ...stateHeaders(request, app, upload),
    ...(await digestHeader(request, upload)),
  };
  if (method === "HEAD") {
    await exchange.respond({ status: 204, headers });
    return;
  }
  const body = await stateJson(request, upload);
  await exchange.respond({ status: 200, headers: { ...headers, ...jsonType }, body });
}
