import { throwIfAborted } from "./abortable.ts";
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
  readonly signal: AbortSignal;
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
  if (!(await sameContent(source, standing, parts))) {
    return declined("the server has other content than this file's so far");
  }
  return { kind: "adopted", standing };
}

/** True when the file's bytes up to the offset have the server's CRC-32, or it did not give one. */
export async function sameContent(
  source: Source,
  standing: Standing,
  { crc32, signal }: Pick<AdoptionParts, "crc32" | "signal">,
): Promise<boolean> {
  if (standing.crc32 === undefined || standing.offset === 0) return true;
  const prefix = untilAborted(source.open(0, standing.offset), signal);
  return (await crc32Of(prefix, crc32)) === standing.crc32;
}

/** Reading a large file takes long enough to be stopped in the middle. */
async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal) {
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    yield chunk;
  }
}

function declined(reason: string): Adoption {
  return { kind: "declined", reason };
}
