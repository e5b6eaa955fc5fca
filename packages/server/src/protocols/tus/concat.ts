import { uploadError } from "../../base/errors.ts";
import { uploadIdOf } from "../standard/route.ts";

/** What `Upload-Concat` makes of an upload. */
export type Concat =
  | { readonly kind: "none" }
  | { readonly kind: "partial" }
  /** Ids in order; the same may come more than once. */
  | { readonly kind: "final"; readonly of: readonly string[] };

const valid = '"partial", or "final;" and the URLs of partial uploads, separated by spaces';

/** @param base the address by which the client reached us. */
export function parseConcat(header: string | undefined, base: string): Concat {
  if (header === undefined) return { kind: "none" };
  if (header === "partial") return { kind: "partial" };
  const list = /^final;(.*)$/.exec(header)?.[1];
  if (list === undefined) throw invalid("is neither partial nor final");
  const urls = list.split(" ").filter((url) => url !== "");
  if (urls.length === 0) throw invalid("names no partial upload");
  const of = urls.map((url) => {
    const id = uploadIdOf(url, base);
    if (id === undefined) throw invalid(`names ${JSON.stringify(url)}, which is no upload's URL`);
    return id;
  });
  return { kind: "final", of };
}

function invalid(problem: string): Error {
  return uploadError("parameter_invalid", { name: "Upload-Concat", problem, valid });
}
