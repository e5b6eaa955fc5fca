import type { DigestAlgorithm, ExpectedDigest } from "../../engine/body-digest.ts";
import type { Exchange } from "../../http/exchange.ts";
import { byteSequencesOf, dictionaryOf } from "./structured-fields.ts";

/** Digest Fields (RFC 9530), in whichever of the standard protocols they come. */

/** Those of its registry that are not broken, the stronger first; others are ignored. */
const contentAlgorithms: readonly (readonly [key: string, algorithm: DigestAlgorithm])[] = [
  ["sha-512", "sha512"],
  ["sha-256", "sha256"],
];

/** The one algorithm that a whole upload is read through for. */
const wholeAlgorithm = "sha-256";

type Headers = Pick<Exchange, "header">;

/** What `Content-Digest` says that the content of this request is; undefined where it says nothing. */
export function contentDigestOf(exchange: Headers): ExpectedDigest | undefined {
  const digests = byteSequencesOf(exchange.header("content-digest"));
  for (const [key, algorithm] of contentAlgorithms) {
    const digest = digests.get(key);
    if (digest !== undefined) return { algorithm, expected: () => digest };
  }
  return undefined;
}

/** The SHA-256 of the whole upload in hex, where `Repr-Digest` says it. */
export function wholeSha256Of(exchange: Headers): string | undefined {
  const digest = byteSequencesOf(exchange.header("repr-digest")).get(wholeAlgorithm);
  return digest === undefined ? undefined : Buffer.from(digest).toString("hex");
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
