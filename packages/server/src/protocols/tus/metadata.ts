import { uploadError } from "../../base/errors.ts";

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const valid = 'pairs such as "filename cGxhbi5wZGY=", separated by commas, every key once';

/**
 * What `Upload-Metadata` says, by key; a value may be empty. An empty header says nothing. Fails
 * with `parameter_invalid` where it is not as the creation extension has it.
 */
export function parseMetadata(header: string | undefined): ReadonlyMap<string, Buffer> {
  const metadata = new Map<string, Buffer>();
  if (header === undefined || header.trim() === "") return metadata;
  for (const pair of header.split(",")) {
    const [key = "", value = "", ...more] = pair.trim().split(" ");
    if (key === "") throw invalid("has an empty key");
    if (metadata.has(key)) throw invalid(`has the key ${JSON.stringify(key)} twice`);
    if (more.length > 0) throw invalid(`has more than one value for ${JSON.stringify(key)}`);
    if (!base64.test(value))
      throw invalid(`has a value that is not Base64 for ${JSON.stringify(key)}`);
    metadata.set(key, Buffer.from(value, "base64"));
  }
  return metadata;
}

/** The first of these keys that says something, as text. */
export function textOf(
  metadata: ReadonlyMap<string, Buffer>,
  keys: readonly string[],
): string | undefined {
  const texts = keys.map((key) => metadata.get(key)?.toString() ?? "");
  return texts.find((text) => text !== "");
}

/** What an upload that another protocol created is called, in the words of this one. */
export function metadataOf(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`)
    .join(",");
}

function invalid(problem: string): Error {
  return uploadError("parameter_invalid", { name: "Upload-Metadata", problem, valid });
}
