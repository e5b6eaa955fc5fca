import type { UploadFacts } from "./dialects/dialect.ts";
import type { ParsedConnection, UploadWarning } from "./options.ts";

/** The mistakes that can be seen before a byte is sent. */
export function warningsOf(
  facts: UploadFacts,
  contentType: string | undefined,
  connection: ParsedConnection,
): UploadWarning[] {
  const warnings = [
    typeWarning(facts.type, contentType),
    sizeWarning(facts),
    appWarning(connection),
  ];
  return warnings.filter((warning) => warning !== undefined);
}

/** Types whose content is always recognised; without its mark the file is something else. */
const recognisable = new Set(["application/pdf", "image/jpeg", "image/png", "image/gif"]);

/** The same container under several names, and names that are only spelled differently. */
const families: Readonly<Record<string, string>> = {
  "image/jpg": "image/jpeg",
  "video/quicktime": "video/mp4",
  "video/3gpp": "video/mp4",
  "audio/mp4": "video/mp4",
  "image/heic": "video/mp4",
  "image/avif": "video/mp4",
};

function typeWarning(declared: string, content: string | undefined): UploadWarning | undefined {
  const family = (type: string) => families[type] ?? type;
  if (content !== undefined && family(content) !== family(declared)) {
    const message = `declared as ${declared}, but the content looks like ${content}`;
    return { code: "type-disagrees", message };
  }
  if (content !== undefined || !recognisable.has(family(declared))) return undefined;
  const message = `declared as ${declared}, but the content does not look like it`;
  return { code: "type-disagrees", message };
}

const mib = 1024 * 1024;

function sizeWarning({ type, length }: UploadFacts): UploadWarning | undefined {
  const [kind, limit] = sizeLimit(type);
  if (length <= limit) return undefined;
  const message = `WhatsApp takes ${kind} of at most ${limit} bytes; this one has ${length}`;
  return { code: "size-advice", message };
}

function sizeLimit(type: string): [kind: string, limit: number] {
  if (type.startsWith("image/")) return ["images", 5 * mib];
  if (type.startsWith("video/")) return ["videos", 16_777_216];
  return ["documents", 100 * mib];
}

/** An app's own token reads `{app id}|{secret}`. */
function appWarning({ appId, token }: ParsedConnection): UploadWarning | undefined {
  if (typeof token !== "string" || appId === "app") return undefined;
  const owner = /^(\d+)\|/.exec(token)?.[1];
  if (owner === undefined || owner === appId) return undefined;
  const message =
    `the token belongs to app ${owner}, not to ${appId}: is ${appId} perhaps a WhatsApp ` +
    "business account or a phone number?";
  return { code: "app-disagrees", message };
}
