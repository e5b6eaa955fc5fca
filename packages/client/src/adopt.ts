import type { Crc32 } from "./crc32.ts";
import { crc32Of } from "./crc32.ts";
import type { Standing, UploadFacts } from "./dialects/dialect.ts";
import { asUploadError, isOneOf } from "./errors.ts";
import type { ResumeEntry } from "./resume-store/resume-store.ts";
import type { Source } from "./sources/source.ts";

export interface AdoptionParts {
  readonly source: Source;
  readonly facts: UploadFacts;
  readonly crc32: Crc32;
  /** Asks the server, with patience. */
  readonly ask: () => Promise<Standing>;
  readonly signal: AbortSignal;
}

/**
 * Decides whether a remembered upload is one of this very file and can be gone on with: where it
 * stands, or a sentence for the user why it has to be started anew.
 */
export async function adopt(entry: ResumeEntry, parts: AdoptionParts): Promise<Standing | string> {
  const { source, facts, ask } = parts;
  if (entry.fingerprint !== source.fingerprint) {
    return "another file or version was begun under this name";
  }
  if (entry.name !== facts.name || entry.type !== facts.type) {
    return `the upload was begun as ${entry.name} (${entry.type})`;
  }
  try {
    return await compare(await ask(), parts);
  } catch (error) {
    if (!isOneOf(error, ["not-found", "gone", "refused"])) throw error;
    const { message } = asUploadError(error);
    return `the server no longer has the upload that was begun: ${message}`;
  }
}

async function compare(standing: Standing, parts: AdoptionParts): Promise<Standing | string> {
  const { source, facts } = parts;
  const { status = "open", length = facts.length } = standing;
  if (status !== "open" && status !== "complete") {
    return `the upload that was begun is ${status}`;
  }
  if (length !== facts.length || standing.offset > facts.length) {
    return "the upload that was begun has another length";
  }
  if (!(await sameContent(source, standing, parts))) {
    return "the server has other content than this file's so far";
  }
  return standing;
}

/** True when the file's bytes up to the offset have the server's CRC-32, or it did not give one. */
export async function sameContent(
  source: Source,
  standing: Standing,
  { crc32, signal }: Pick<AdoptionParts, "crc32" | "signal">,
): Promise<boolean> {
  if (standing.crc32 === undefined || standing.offset === 0) return true;
  const prefix = source.open(0, standing.offset);
  return (await crc32Of(prefix, crc32, signal)) === standing.crc32;
}
