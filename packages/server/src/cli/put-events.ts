/** The events of `hawser put --json`: what each means and which fields it has. */
export const putEvents = Object.freeze({
  begin: ["a file's turn has come", ["file", "name"]],
  uploading: ["its bytes flow, from this offset on", ["file", "id", "offset"]],
  progress: ["once a second", ["file", "sent", "confirmed", "length"]],
  retrying: [
    "something failed and is tried again",
    ["file", "reason", "failures", "waitMs", "error"],
  ],
  warning: ["something to know, though it goes on", ["file", "code", "message"]],
  skipped: ["a link or a special file in a folder", ["file", "reason"]],
  done: [
    "the file is complete, and published where that was asked for",
    [
      ...["file", "name", "handle", "id", "bytes", "resumedFrom", "fileId", "retries"],
      "durationMs",
    ],
  ],
  failed: ["the file was not uploaded", ["file", "name", "error", "durationMs"]],
  summary: [
    "the last line",
    [
      ...["files", "resumed", "failed", "skipped", "bytes", "sentBytes", "durationMs"],
      "bytesPerSecond",
    ],
  ],
} satisfies Record<string, readonly [meaning: string, fields: readonly string[]]>);
