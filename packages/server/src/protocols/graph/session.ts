import type { Principal } from "../../access/scopes.ts";
import { findUpload } from "../../engine/look-up.ts";
import type { Upload } from "../../engine/records.ts";
import { headerPrincipalOf, type GraphRequest } from "./request.ts";
import type { Route } from "./route.ts";

export type UploadRoute = Extract<Route, { kind: "upload" }>;

/**
 * The upload that `upload:{id}` names: first the token, then the id's signature, and only then a
 * look-up among what this token's app owns.
 */
export async function uploadOf(
  request: GraphRequest,
  route: UploadRoute,
): Promise<{ upload: Upload; principal: Principal }> {
  const principal = await headerPrincipalOf(request);
  const uuid = request.parts.ids.parse(route.payload, route.signature);
  request.exchange.logFacts.upload = uuid;
  return { upload: await findUpload(request.parts.engine, uuid, principal.appId), principal };
}
