import { uploadError } from "../../base/errors.ts";
import { refuseEnded } from "../../engine/append.ts";
import { principalOf, uploadOf, type StandardRequest } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { appendChecked, checksumSourceOf } from "./checksum.ts";
import { lengthOf, offsetOf, progressHeaders, requireOffsetType } from "./fields.ts";

/** PATCH /uploads/{id} */
export async function appendBytes(request: StandardRequest, route: StandardRoute): Promise<void> {
  const { parts, exchange } = request;
  const after = await appendChecked(parts.engine, exchange, {
    ...(await appendOf(request, route)),
    authorise: async () => {
      await principalOf(request, "append");
    },
  });
  exchange.logFacts.offset = after.offset;
  await exchange.respond({ status: 204, headers: progressHeaders(request, after) });
}

/** What the head alone asks for. What was looked up to check it is not kept while the bytes come. */
async function appendOf(request: StandardRequest, route: StandardRoute) {
  const { exchange } = request;
  const { upload } = await uploadOf(request, route, "append");
  refuseEnded(upload);
  if (upload.concatenates !== undefined) {
    throw uploadError("not_appendable", { reason: "it is made of other uploads" });
  }
  requireOffsetType(exchange);
  const { id, offset, length } = upload;
  const provided = lengthOf(exchange);
  if (length !== undefined && provided !== undefined && provided !== length) {
    throw uploadError("length_inconsistent", { offset, length, provided });
  }
  return {
    id,
    offset: offsetOf(exchange),
    length: provided,
    source: checksumSourceOf(exchange),
  };
}
