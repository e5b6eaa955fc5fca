import { uploadError } from "../../base/errors.ts";
import type { DigestAlgorithm, ExpectedDigest } from "../../engine/body-digest.ts";
import type { Exchange } from "../../http/exchange.ts";
import { byteSequencesOf, dictionaryOf } from "./structured-fields.ts";

/** Digest Fields (RFC 9530), in whichever of the standard protocols they come. */

/** Those of its registry that are not broken, the stronger first; others are ignored. */
const contentAlgorithms: readonly Algorithm[] = [
  { key: "sha-512", algorithm: "sha512", bytes: 64 },
  { key: "sha-256", algorithm: "sha256", bytes: 32 },
];

/** The one algorithm that a whole upload is read through for. */
const wholeAlgorithm = "sha-256";

interface Algorithm {
  readonly key: string;
  readonly algorithm: DigestAlgorithm;
  /** How many bytes its digests have. */
  readonly bytes: number;
}

type Headers = Pick<Exchange, "header">;

/**
 * What `Content-Digest` says that the content of this request is; undefined where it says nothing.
 * Fails with `parameter_invalid` where no content could have that digest.
 */
export function contentDigestOf(exchange: Headers): ExpectedDigest | undefined {
  const digests = byteSequencesOf(exchange.header("content-digest"));
  for (const { key, algorithm, bytes } of contentAlgorithms) {
    const digest = digests.get(key);
    if (digest === undefined) continue;
    if (digest.length !== bytes) throw invalid("Content-Digest", key, bytes);
    return { algorithm, expected: () => digest };
  }
  return undefined;
}

/**
 * The SHA-256 of the whole upload in hex, where `Repr-Digest` says it. Fails with
 * `parameter_invalid` where that is none.
 */
export function wholeSha256Of(exchange: Headers): string | undefined {
  const digest = byteSequencesOf(exchange.header("repr-digest")).get(wholeAlgorithm);
  if (digest === undefined) return undefined;
  if (digest.length !== 32) throw invalid("Repr-Digest", wholeAlgorithm, 32);
  return Buffer.from(digest).toString("hex");
}

function invalid(name: string, key: string, bytes: number): Error {
  const problem = `has not the ${bytes} bytes of ${key}`;
  return uploadError("parameter_invalid", { name, problem, valid: `${key}=:<Base64>:` });
}

/** Whether `Want-Repr-Digest` asks for a digest that is to be had; 0 means that it is not wanted. */
export function wantsWholeDigest(exchange: Headers): boolean {
  const weight = dictionaryOf(exchange.header("want-repr-digest")).get(wholeAlgorithm);
  return typeof weight === "number" && weight > 0;
}

/** `Repr-Digest` of a SHA-256 in hex. */
export function wholeDigestField(sha256: string): { readonly "Repr-Digest": string } {
  const digest = Buffer.from(sha256, "hex").toString("base64");
  return { "Repr-Digest": `${wholeAlgorithm}=:${digest}:` };
}
