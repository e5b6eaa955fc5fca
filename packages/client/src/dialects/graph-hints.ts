import type { UploadErrorCode, UploadErrorFacts } from "../errors.ts";

/** What people most often did wrong when they meet this refusal. */
export function hintFor(
  code: UploadErrorCode,
  { status, graphCode, graphSubcode }: UploadErrorFacts,
  message: string,
): string | undefined {
  if (code === "refused" && status === 413) {
    return "A proxy takes no body of 256 KiB: raise its limit, or lower chunkSize.";
  }
  if (code === "refused" && message.includes("file_offset")) {
    return "A proxy may drop header names with underscores (nginx: underscores_in_headers on).";
  }
  if (code === "not-authorised") {
    if (graphSubcode === 463) return "The token has expired; get a new one.";
    if (graphCode === 104) return "Give a token.";
    if (status === 403) return "Use a token of this app with that right.";
    return "Is the token mistyped, revoked, or another app's?";
  }
  return hints[code];
}

const hints: Readonly<Partial<Record<UploadErrorCode, string>>> = {
  "not-found":
    "Check the ids and the server's address: a WhatsApp business account or a phone number is no " +
    "app.",
  gone: "It was cancelled or has expired; upload the file again.",
  "rate-limited": "Wait a while before trying again.",
};
