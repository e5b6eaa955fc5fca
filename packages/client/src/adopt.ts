import type { Crc32 } from "./crc32.ts";
import { crc32Of } from "./crc32.ts";
import type { Standing, UploadFacts } from "./dialects/dialect.ts";
import { asUploadError } from "./errors.ts";
import type { ResumeEntry } from "./resume-store/resume-store.ts";
import type { Source } from "./sources/source.ts";

export type Adoption =
  | { readonly kind: "adopted"; readonly standing: Standing }
  /** Start anew; the reason is a sentence for the user. */
  | { readonly kind: "declined"; readonly reason: string };

export interface AdoptionParts {
  readonly source: Source;
  readonly facts: UploadFacts;
  readonly crc32: Crc32;
  /** Asks the server, with patience. */
  readonly ask: () => Promise<Standing>;
}

/** Decides whether a remembered upload is one of this very file and can be gone on with. */
export async function adopt(entry: ResumeEntry, parts: AdoptionParts): Promise<Adoption> {
  const { source, facts, ask } = parts;
  if (entry.fingerprint !== source.fingerprint) {
    return declined("the file has changed since the upload was begun");
  }
  if (entry.name !== facts.name || entry.type !== facts.type) {
    return declined(`the upload was begun as ${entry.name} (${entry.type})`);
  }
  try {
    return await compare(await ask(), parts);
  } catch (thrown) {
    const error = asUploadError(thrown);
    if (!["not-found", "gone", "refused"].includes(error.code)) throw error;
    return declined(`the server no longer has the upload that was begun: ${error.message}`);
  }
}

async function compare(standing: Standing, parts: AdoptionParts): Promise<Adoption> {
  const { source, facts } = parts;
  const { status = "open", length = facts.length } = standing;
  if (status !== "open" && status !== "complete") {
    return declined(`the upload that was begun is ${status}`);
  }
  if (length !== facts.length || standing.offset > facts.length) {
    return declined("the upload that was begun has another length");
  }
  if (!(await sameContent(source, standing, parts.crc32))) {
    return declined("the server has other content than this file's so far");
  }
  return { kind: "adopted", standing };
}

/** True when the file's bytes up to the offset have the server's CRC-32, or it did not give one. */
export async function sameContent(source: Source, standing: Standing, crc32: Crc32) {
  if (standing.crc32 === undefined || standing.offset === 0) return true;
  return (await crc32Of(source.open(0, standing.offset), crc32)) === standing.crc32;
}

function declined(reason: string): Adoption {
  return { kind: "declined", reason };
}
