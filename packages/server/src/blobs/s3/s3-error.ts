import { UploadError, uploadError } from "../../base/errors.ts";

interface ServiceError {
  readonly name: string;
  readonly statusCode: number | undefined;
}

/** What the store said, as far as it said anything. */
export function serviceError(error: unknown): ServiceError {
  if (!(error instanceof Error)) return { name: "", statusCode: undefined };
  return { name: error.name, statusCode: statusCodeOf(error) };
}

export function isMissingKey(error: unknown): boolean {
  const { name, statusCode } = serviceError(error);
  // A bucket that is not there is no missing key: it must never be taken for one.
  return name === "NoSuchKey" || (name === "NotFound" && statusCode === 404);
}

/** The store answered, and another try would be answered in the same way. */
export function isRefusal(error: unknown): boolean {
  const { statusCode } = serviceError(error);
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500 && statusCode !== 429;
}

/** In the engine's words: no room, or a storage that failed. Other words stay as they are. */
export function storageError(error: unknown): UploadError {
  if (error instanceof UploadError) return error;
  const { name, statusCode } = serviceError(error);
  const isFull = name === "QuotaExceeded" || statusCode === 507;
  const code = isFull ? "no_room" : "storage_failed";
  return uploadError(code, { offset: undefined }, { cause: error });
}

function statusCodeOf(error: Error): number | undefined {
  if (!("$metadata" in error)) return undefined;
  const metadata: unknown = error.$metadata;
  if (typeof metadata !== "object" || metadata === null) return undefined;
  if (!("httpStatusCode" in metadata)) return undefined;
  const { httpStatusCode } = metadata;
  return typeof httpStatusCode === "number" ? httpStatusCode : undefined;
}
