import { uploadLengthMax } from "../../access/apps.ts";
import { UploadError, uploadError } from "../../base/errors.ts";
import { refuseEnded } from "../../engine/append.ts";
import { concatenate } from "../../engine/concatenate.ts";
import { findUpload } from "../../engine/look-up.ts";
import type { EngineParts } from "../../engine/parts.ts";
import type { Upload } from "../../engine/records.ts";
import type { StandardRequest } from "../standard/request.ts";
import type { UploadWords } from "./create.ts";
import { creationOf } from "./creation.ts";

/** An upload made of partial ones, by their ids in order. */
export async function concatenated(
  { parts, exchange }: StandardRequest,
  words: UploadWords,
  of: readonly string[],
): Promise<Upload> {
  for (const name of ["Upload-Length", "Upload-Defer-Length"]) {
    if (exchange.header(name) !== undefined) {
      const problem = "is given for a final upload, whose length is that of its parts";
      throw uploadError("parameter_invalid", { name, problem, valid: "no such header" });
    }
  }
  if (exchange.announcedLength !== 0) {
    throw uploadError("not_appendable", { reason: "it is made of other uploads" });
  }
  const { app } = words;
  const partials = await partialsOf(parts.engine, of, app.id);
  for (const partial of partials) refuseUnfit(partial);
  const length = lengthOfAll(partials);
  if (length !== undefined && length > uploadLengthMax(app)) {
    throw uploadError("length_exceeded", { offset: 0, length: uploadLengthMax(app) });
  }
  const upload = await concatenate(parts.engine, { ...words, of });
  refuseEnded(upload);
  return upload;
}

/** The length of a final upload as far as it can be known: once all of its parts' are. */
export async function finalLengthOf(
  engine: EngineParts,
  { length, concatenates, appId }: Upload,
): Promise<number | undefined> {
  if (length !== undefined || concatenates === undefined) return length;
  try {
    return lengthOfAll(await partialsOf(engine, concatenates, appId));
  } catch (error) {
    // A part that is gone has no length any more.
    if (error instanceof UploadError) return undefined;
    throw error;
  }
}

function lengthOfAll(partials: readonly Upload[]): number | undefined {
  let sum = 0;
  for (const { length } of partials) {
    if (length === undefined) return undefined;
    sum += length;
  }
  return sum;
}

/** One for each id, through the same look-up as everything that this token's app asks for. */
async function partialsOf(
  engine: EngineParts,
  ids: readonly string[],
  appId: string,
): Promise<readonly Upload[]> {
  const found = new Map<string, Upload>();
  for (const id of new Set(ids)) {
    try {
      found.set(id, await findUpload(engine, id, appId));
    } catch (error) {
      if (!(error instanceof UploadError) || error.code !== "node_unknown") throw error;
      throw invalid(`names the upload ${id}, which is not there`);
    }
  }
  return ids.flatMap((id) => found.get(id) ?? []);
}

function refuseUnfit(partial: Upload): void {
  if (creationOf(partial).concat !== "partial") {
    throw invalid(`names the upload ${partial.id}, which was not created as a partial one`);
  }
  if (partial.state !== "open" && partial.state !== "complete") {
    throw invalid(`names the upload ${partial.id}, which was ${partial.state}`);
  }
}

function invalid(problem: string): Error {
  const valid = "the URLs of partial uploads that are there";
  return uploadError("parameter_invalid", { name: "Upload-Concat", problem, valid });
}
