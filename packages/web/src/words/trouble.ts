import type { UploadErrorCode } from "hawser-client";

/** What happened and what to do about it; each a whole sentence. */
export interface Trouble {
  readonly happened: string;
  readonly next: string;
}

export const fileChanged: Trouble = {
  happened: "The file changed while it was being uploaded.",
  next: "Wait until nothing writes to it any more, then pick it again.",
};

const byCode: Readonly<Record<UploadErrorCode, Trouble>> = {
  "invalid-option": {
    happened: "This file cannot be uploaded.",
    next: "Check that it is not empty and try again.",
  },
  "source-changed": fileChanged,
  "source-unreadable": {
    happened: "The file can no longer be read.",
    next: "If it was moved or renamed, pick it again.",
  },
  "not-authorised": {
    happened: "The server no longer accepts your token for this.",
    next: "Sign out, sign in with a fresh token, and go on.",
  },
  "not-found": {
    happened: "The server does not know this upload.",
    next: "Retry to begin it again.",
  },
  gone: {
    happened: "The server no longer has this upload: it was cancelled or expired.",
    next: "Retry to begin it again.",
  },
  "handle-invalid": {
    happened: "The handle is no longer valid.",
    next: "Upload the file again for a new one.",
  },
  refused: {
    happened: "The server refused this file.",
    next: "Read what it says and change the file, or ask who runs the server.",
  },
  "offset-mismatch": {
    happened: "The server stands at another place than this page.",
    next: "Retry to go on from there.",
  },
  "rate-limited": {
    happened: "The server asks for fewer requests.",
    next: "Wait a few minutes, then retry.",
  },
  "server-trouble": {
    happened: "The server is in trouble.",
    next: "What it has is kept. Retry in a while.",
  },
  network: {
    happened: "The server cannot be reached.",
    next: "Check your connection, then retry: it goes on where it stopped.",
  },
  stalled: {
    happened: "Nothing has moved for too long.",
    next: "Check your connection, then retry: it goes on where it stopped.",
  },
  "bad-answer": {
    happened: "Something between here and the server answered in its place.",
    next: "Check for a proxy or a sign-in page of your network, then retry.",
  },
  "offset-contradiction": {
    happened: "Something else writes to the same upload.",
    next: "Close this file's upload elsewhere, then retry.",
  },
  aborted: { happened: "The upload was stopped.", next: "Go on when you like." },
  cancelled: { happened: "The upload was cancelled.", next: "Retry to begin it again." },
};

interface Failure {
  readonly code: UploadErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A refusal says best itself what was wrong with the file; the rest is said in our words. */
export function troubleOf({ code, message, hint }: Failure): Trouble {
  const known = byCode[code];
  if (code !== "refused" && code !== "invalid-option") return known;
  if (message.includes("file_type")) return typeRefused;
  return {
    happened: asSentence(withoutNumbers(message)),
    next: hint === undefined ? known.next : asSentence(hint),
  };
}

export const typeRefused: Trouble = {
  happened: "The server does not take files of this type.",
  next: "Convert it to one that it takes, or ask who runs the server to allow it.",
};

/** Without Graph's own number before a message and the status behind it. */
function withoutNumbers(message: string): string {
  return message.replace(/^\(#\d+\) /, "").replace(/ \(\d{3}\)\.?$/, "");
}

export function asSentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
