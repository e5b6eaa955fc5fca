import { uploadError } from "../../base/errors.ts";
import type { Upload } from "../../engine/records.ts";
import { mediaTypeOf } from "../standard/choose.ts";
import { appOf, uploadOf } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { answerTaken } from "./answer.ts";
import { appendContent, digestsOf, refuseContradiction, type Content } from "./content.ts";
import { refuseEnded } from "./ended.ts";
import { IetfRefusal } from "./problems.ts";
import type { IetfRequest } from "./request.ts";

const wholeNumber = "a whole number of bytes, as a structured field";

/** Upload append: PATCH /uploads/{id} */
export async function appendPart(request: IetfRequest, route: StandardRoute): Promise<void> {
  const { seen, fields } = request;
  const { upload, principal } = await uploadOf(request, route, "append");
  const app = await appOf(request, principal);
  seen.app = app;
  seen.aboutUpload = true;
  refuseEnded(upload, fields.rules);
  if (upload.state === "open") seen.offset = upload.offset;
  requireAppendType(request);
  refuseCompleted(request, upload);
  const content = contentOf(request);
  if (upload.state === "open" && content.offset === upload.offset) {
    refuseContradiction(request, content);
  }
  const { id, length, lengthMax, state } = upload;
  const after = await appendContent(request, { id, length, lengthMax, state }, content);
  await answerTaken(request, { app, upload: after, status: fields.rules.appendedStatus });
}

function contentOf(request: IetfRequest): Content {
  const { fields } = request;
  const { rules, offset, length } = fields;
  if (offset === undefined) {
    throw uploadError("parameter_invalid", {
      name: "Upload-Offset",
      problem: "is missing, or not what it must be",
      valid: wholeNumber,
    });
  }
  if (fields.complete === undefined && rules.unsaid === "refused") {
    throw uploadError("parameter_invalid", {
      name: rules.flag.field,
      problem: "is missing, or not what it must be",
      valid: "?1 with the last of the content, ?0 before",
    });
  }
  const complete = fields.complete ?? rules.unsaid === "complete";
  return { offset, length, complete, digests: digestsOf(request) };
}

function requireAppendType({ exchange, fields }: IetfRequest): void {
  const { appendType } = fields.rules;
  const given = mediaTypeOf(exchange.header("content-type"));
  if (appendType === undefined || given === appendType) return;
  throw new IetfRefusal({
    status: 415,
    detail: `The content is ${given ?? "of no type"}. Send it as "Content-Type: ${appendType}".`,
    headers: { "Accept-Patch": appendType },
  });
}

/** Some versions want a complete upload to refuse even what asks for nothing. */
function refuseCompleted({ fields, exchange }: IetfRequest, upload: Upload): void {
  if (upload.state !== "complete" || fields.rules.completed === "replayed") return;
  if (exchange.announcedLength !== 0) return;
  throw new IetfRefusal({
    status: 400,
    type: "completed-upload",
    detail: `The upload is complete with ${upload.offset} bytes.`,
  });
}
