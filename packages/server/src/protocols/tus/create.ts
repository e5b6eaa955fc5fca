import { uploadLengthMax, type AppDetails } from "../../access/apps.ts";
import { requireScope, type Principal } from "../../access/scopes.ts";
import { UploadError, uploadError } from "../../base/errors.ts";
import { cancel } from "../../engine/cancel.ts";
import { createUpload } from "../../engine/create.ts";
import type { Upload } from "../../engine/records.ts";
import { baseUrlOf } from "../base-url.ts";
import { wholeSha256Of } from "../standard/digest-fields.ts";
import { nameFrom } from "../standard/names.ts";
import {
  appOf,
  nothingSeen,
  principalOf,
  seeBegun,
  uploadUrlOf,
  type StandardRequest,
} from "../standard/request.ts";
import { typeFrom } from "../standard/types.ts";
import { appendChecked, checksumSourceOf, type ChecksumSource } from "./checksum.ts";
import { parseConcat } from "./concat.ts";
import { concatenated } from "./concatenate.ts";
import { formatCreation, protocolName } from "./creation.ts";
import { newLengthOf, progressHeaders, requireOffsetType } from "./fields.ts";
import { parseMetadata, textOf } from "./metadata.ts";

/** POST /uploads */
export async function create(request: StandardRequest): Promise<void> {
  const { parts, exchange } = request;
  const principal = await principalOf(request, "create");
  const app = await appOf(request, principal);
  const concat = parseConcat(exchange.header("upload-concat"), baseUrlOf(exchange, parts));
  const words = wordsOf(request, principal, concat.kind === "partial" ? unjudging(app) : app);
  const upload =
    concat.kind === "final"
      ? await concatenated(request, words, concat.of)
      : await begun(request, principal, words);
  exchange.logFacts.upload = upload.id;
  exchange.logFacts.offset = upload.offset;
  const headers = {
    ...progressHeaders(request, upload),
    Location: uploadUrlOf(request, upload.id),
  };
  await exchange.respond({ status: 201, headers });
}

/** A part begins with what happens to be there: only what is made of all of them is of the type. */
function unjudging(app: AppDetails): AppDetails {
  return { ...app, contentPolicy: "off" };
}

export type UploadWords = ReturnType<typeof wordsOf>;

/** What any upload is created with, whatever its bytes are to be. */
function wordsOf({ parts, exchange }: StandardRequest, { userId }: Principal, app: AppDetails) {
  const metadata = exchange.header("upload-metadata");
  const said = parseMetadata(metadata);
  return {
    id: parts.engine.random.uuid(),
    app,
    userId,
    name: nameFrom(textOf(said, ["filename", "name"]), "filename in Upload-Metadata"),
    type: typeFrom(textOf(said, ["filetype", "type"]), "filetype in Upload-Metadata", app),
    protocol: protocolName,
    sha256: wholeSha256Of(exchange),
    creation: formatCreation({ metadata, concat: exchange.header("upload-concat") }),
  };
}

/** An upload for bytes that are to come, with those that came along. */
async function begun(
  request: StandardRequest,
  principal: Principal,
  words: UploadWords,
): Promise<Upload> {
  const { parts, exchange } = request;
  const length = newLengthOf(exchange);
  const brings = exchange.announcedLength !== 0;
  if (brings) {
    requireOffsetType(exchange);
    requireScope(principal, "append");
  }
  const lengthMax = uploadLengthMax(words.app);
  const most = Math.min(length ?? lengthMax, lengthMax);
  if (Math.max(length ?? 0, exchange.announcedLength ?? 0) > most) {
    throw uploadError("length_exceeded", { offset: 0, length: most });
  }
  const source = checksumSourceOf(exchange);
  const upload = await createUpload(parts.engine, { ...words, length, completes: "at_length" });
  seeBegun(request, upload);
  return brings || length === 0 ? await withFirstBytes(request, upload, source) : upload;
}

/** Bytes that are not what their checksum says leave nothing behind, not even an empty upload. */
async function withFirstBytes(
  request: StandardRequest,
  { id }: Upload,
  source: ChecksumSource,
): Promise<Upload> {
  const { parts, exchange } = request;
  try {
    return await appendChecked(parts.engine, exchange, {
      id,
      offset: 0,
      source,
      authorise: async () => {
        await principalOf(request, "create");
      },
    });
  } catch (error) {
    if (error instanceof UploadError && isUnproven(error)) {
      await cancel(parts.engine, id);
      Object.assign(request.seen, nothingSeen);
    }
    throw error;
  }
}

function isUnproven({ code }: UploadError): boolean {
  const codes = ["digest_mismatch", "parameter_invalid", "unproven_too_long"];
  return codes.includes(code);
}
