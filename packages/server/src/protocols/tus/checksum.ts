import { uploadError } from "../../base/errors.ts";
import { append, type AppendRequest } from "../../engine/append.ts";
import type { DigestAlgorithm, ExpectedDigest } from "../../engine/body-digest.ts";
import type { EngineParts } from "../../engine/parts.ts";
import type { Upload } from "../../engine/records.ts";
import type { Exchange } from "../../http/exchange.ts";
import { contentDigestOf } from "../standard/digest-fields.ts";
import { HashedBody } from "./hashed-body.ts";

/** How many bytes each algorithm's checksum has. */
const lengths = { sha1: 20, sha256: 32, md5: 16, crc32: 4 } as const;

export type ChecksumAlgorithm = keyof typeof lengths & DigestAlgorithm;

// The keys are those of the record above, which TypeScript does not say of Object.keys.
export const checksumAlgorithms = Object.keys(lengths) as readonly ChecksumAlgorithm[];

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly value: Buffer;
}

/** Where the checksum of a body comes from, if anywhere. */
export type ChecksumSource =
  | { readonly kind: "none" }
  | { readonly kind: "header"; readonly digest: ExpectedDigest }
  | { readonly kind: "trailer" };

/**
 * Before the body is read: what is wrong with the header is told at once. Where this protocol's own
 * says nothing, HTTP's may (RFC 9530).
 */
export function checksumSourceOf(exchange: Exchange): ChecksumSource {
  const header = exchange.header("upload-checksum");
  if (header !== undefined) {
    const { algorithm, value } = parseChecksum(header);
    return { kind: "header", digest: { algorithm, expected: () => value } };
  }
  const announced = exchange.header("trailer")?.toLowerCase().split(",") ?? [];
  if (announced.some((name) => name.trim() === "upload-checksum")) return { kind: "trailer" };
  const digest = contentDigestOf(exchange);
  return digest === undefined ? { kind: "none" } : { kind: "header", digest };
}

/** Fails with `parameter_invalid` for what is no checksum, or of another algorithm. */
export function parseChecksum(text: string): Checksum {
  const [name, encoded = "", ...more] = text.split(" ");
  const algorithm = checksumAlgorithms.find((known) => known === name);
  if (algorithm === undefined) throw invalid("is of an algorithm that is not served");
  const value = Buffer.from(encoded, "base64");
  // Whatever Buffer skipped or added would not come out again.
  const isBase64 = value.toString("base64") === encoded && more.length === 0;
  if (!isBase64) throw invalid("is not Base64");
  if (value.length === lengths[algorithm]) return { algorithm, value };
  throw invalid(`has not the ${lengths[algorithm]} bytes of ${algorithm}`);
}

type CheckedAppend = Omit<AppendRequest, "body" | "digest" | "dialect">;

/** Appends the exchange's body, none of which counts where it has a checksum and is not that. */
export async function appendChecked(
  engine: EngineParts,
  exchange: Exchange,
  { source, ...wanted }: CheckedAppend & { readonly source: ChecksumSource },
): Promise<Upload> {
  const request = { ...wanted, body: exchange.body(), dialect: "tus" };
  if (source.kind === "none") return await append(engine, request);
  if (source.kind === "trailer") return await appendWithTrailer(engine, exchange, request);
  return await append(engine, { ...request, digest: source.digest });
}

/**
 * The trailer alone says which algorithm it is: until it comes all of them are run, and the engine
 * is told its own only if the one that counts is right.
 */
async function appendWithTrailer(
  engine: EngineParts,
  exchange: Exchange,
  request: AppendRequest,
): Promise<Upload> {
  const body = new HashedBody(request.body);
  let problem: unknown;
  const expected = (): Buffer | undefined => {
    const digests = body.digests();
    try {
      const { algorithm, value } = parseTrailer(exchange.trailer("upload-checksum"));
      return digests[algorithm].equals(value) ? digests.sha1 : undefined;
    } catch (error) {
      problem = error;
      return undefined;
    }
  };
  try {
    return await append(engine, { ...request, body, digest: { algorithm: "sha1", expected } });
  } catch (error) {
    throw problem ?? error;
  }
}

function parseTrailer(text: string | undefined): Checksum {
  if (text === undefined) throw invalid("was announced as a trailer and did not come");
  return parseChecksum(text);
}

function invalid(problem: string): Error {
  return uploadError("parameter_invalid", {
    name: "Upload-Checksum",
    problem,
    valid: `one of ${checksumAlgorithms.join(", ")}, a space, and the checksum in Base64`,
  });
}
