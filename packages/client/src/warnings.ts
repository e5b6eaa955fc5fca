import type { UploadFacts } from "./dialects/dialect.ts";
import type { ParsedConnection, ParsedOptions, UploadWarning } from "./options.ts";

/** Tells of the mistakes that can be seen before a byte is sent. */
export function warn(
  facts: UploadFacts,
  contentType: string | undefined,
  { connection, dialect, onWarning }: ParsedOptions,
): void {
  const tell = (code: UploadWarning["code"], message: string | undefined) => {
    if (message !== undefined) onWarning({ code, message });
  };
  tell("type-disagrees", typeMistake(facts.type, contentType));
  if (!dialect.needsApp) return;
  tell("size-advice", sizeAdvice(facts));
  tell("app-disagrees", appMistake(connection));
}

/** Types whose content is always recognised; without its mark the file is something else. */
const recognisable = /^(application\/pdf|image\/(jpe?g|png|gif))$/;

/** The same container under several names. */
const mp4 = /^(video\/(mp4|quicktime|3gpp)|audio\/mp4|image\/(heic|avif))$/;

/** One name for types that are the same container, or the same but for their spelling. */
function family(type: string): string {
  return type.replace(mp4, "video/mp4").replace("image/jpg", "image/jpeg");
}

function typeMistake(declared: string, content: string | undefined): string | undefined {
  if (content === undefined) {
    if (!recognisable.test(declared)) return undefined;
    return `declared as ${declared}, but the content does not look like it`;
  }
  if (family(content) === family(declared)) return undefined;
  return `declared as ${declared}, but the content looks like ${content}`;
}

function sizeAdvice({ type, length }: UploadFacts): string | undefined {
  const [kind, mib] = sizeLimit(type);
  const limit = mib * 1024 * 1024;
  if (length <= limit) return undefined;
  return `WhatsApp takes ${kind} of at most ${limit} bytes; this one has ${length}`;
}

function sizeLimit(type: string): [kind: string, mib: number] {
  if (type.startsWith("image/")) return ["images", 5];
  if (type.startsWith("video/")) return ["videos", 16];
  return ["documents", 100];
}

/** An app's own token reads `{app id}|{secret}`. */
function appMistake({ appId, token }: ParsedConnection): string | undefined {
  if (typeof token !== "string" || appId === "app") return undefined;
  const owner = /^(\d+)\|/.exec(token)?.[1] ?? appId;
  if (owner === appId) return undefined;
  return (
    `the token belongs to app ${owner}, not to ${appId}: is ${appId} perhaps a WhatsApp ` +
    "business account or a phone number?"
  );
}
