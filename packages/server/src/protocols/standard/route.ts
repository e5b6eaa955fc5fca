export type StandardRoute =
  | { readonly kind: "collection" }
  | { readonly kind: "upload"; readonly id: string }
  /** Below the collection, and no upload can be there. */
  | { readonly kind: "unknown"; readonly name: string };

export const collectionPath = "/uploads";
const uploadId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a path is about, or undefined when it is none of the standard protocols'. */
export function routeOf(path: string): StandardRoute | undefined {
  if (path !== collectionPath && !path.startsWith(`${collectionPath}/`)) return undefined;
  const name = path.slice(collectionPath.length + 1).replace(/\/$/, "");
  if (name === "") return { kind: "collection" };
  return uploadId.test(name) ? { kind: "upload", id: name } : { kind: "unknown", name };
}

/**
 * The upload that a URL of ours names, absolute or relative to the collection, or undefined.
 *
 * @param base the address by which the client reached us; it may have a path of its own.
 */
export function uploadIdOf(url: string, base: string): string | undefined {
  const path = URL.parse(url, `${base}${collectionPath}/`)?.pathname ?? "";
  const before = URL.parse(base)?.pathname.replace(/\/$/, "") ?? "";
  const route = routeOf(path.startsWith(`${before}/`) ? path.slice(before.length) : path);
  return route?.kind === "upload" ? route.id : undefined;
}
