import { uploadLengthMax, type AppDetails } from "../../access/apps.ts";
import { requireScope } from "../../access/scopes.ts";
import { uploadError } from "../../base/errors.ts";
import { createUpload } from "../../engine/create.ts";
import type { Upload } from "../../engine/records.ts";
import { mediaTypeOf } from "../standard/choose.ts";
import { wantsWholeDigest } from "../standard/digest-fields.ts";
import { nameFrom } from "../standard/names.ts";
import { appOf, principalOf, seeBegun } from "../standard/request.ts";
import { typeFrom } from "../standard/types.ts";
import { answerTaken } from "./answer.ts";
import {
  appendContent,
  declaredLength,
  digestsOf,
  refuseContradiction,
  type Content,
} from "./content.ts";
import { formatCreation, protocolName } from "./creation.ts";
import { fileNameOf } from "./disposition.ts";
import { announce } from "./interim.ts";
import type { IetfRequest } from "./request.ts";
import { newest } from "./versions.ts";

/**
 * Upload creation: POST, PUT or PATCH /uploads. A request that says nothing of completeness is an
 * upload as always, whose content is all of it.
 */
export async function create(request: IetfRequest): Promise<void> {
  const { exchange, fields, seen } = request;
  const principal = await principalOf(request, "create");
  const app = await appOf(request, principal);
  seen.app = app;
  const { complete = true, length } = fields;
  const content = { offset: 0, complete, length, digests: digestsOf(request) };
  const hasContent = content.complete || exchange.announcedLength !== 0;
  if (hasContent) requireScope(principal, "append");
  refuseContradiction(request, content);
  refuseTooLong(request, app, content);
  const upload = await begin(request, { app, userId: principal.userId, content });
  announce(request, app, upload);
  const after = hasContent
    ? await appendContent(request, upload, { ...content, length: undefined })
    : upload;
  await answerTaken(request, { app, upload: after, status: 201 });
}

async function begin(
  request: IetfRequest,
  wanted: { readonly app: AppDetails; readonly userId: string; readonly content: Content },
): Promise<Upload> {
  const { parts, exchange, seen } = request;
  const { app, userId, content } = wanted;
  const upload = await createUpload(parts.engine, {
    id: parts.engine.random.uuid(),
    app,
    userId,
    name: nameFrom(fileNameOf(exchange.header("content-disposition")), "Content-Disposition"),
    type: typeFrom(representationType(exchange.header("content-type")), "Content-Type", app),
    length: declaredLength(request, content),
    protocol: protocolName,
    creation: formatCreation({ wantsDigest: wantsWholeDigest(exchange) }),
    completes: "when_told",
    sha256: content.digests.sha256,
  });
  seeBegun(request, upload);
  seen.offset = 0;
  seen.aboutUpload = true;
  return upload;
}

/** Some clients name the type of an append here, too, which says nothing of what is uploaded. */
function representationType(header: string | undefined): string | undefined {
  return mediaTypeOf(header) === newest.appendType ? undefined : header;
}

function refuseTooLong(request: IetfRequest, app: AppDetails, content: Content): void {
  const lengthMax = uploadLengthMax(app);
  const { announcedLength = 0 } = request.exchange;
  const most = Math.max(declaredLength(request, content) ?? 0, announcedLength);
  if (most > lengthMax) throw uploadError("length_exceeded", { offset: 0, length: lengthMax });
}
