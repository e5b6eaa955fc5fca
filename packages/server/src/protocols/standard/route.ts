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

/** The upload that a URL of ours names, absolute or relative to the collection, or undefined. */
export function uploadIdOf(url: string): string | undefined {
  const path = URL.parse(url, `http://localhost${collectionPath}/`)?.pathname ?? "";
  // An outside address may have a path of its own before ours.
  const route = routeOf(path.slice(Math.max(path.lastIndexOf(`${collectionPath}/`), 0)));
  return route?.kind === "upload" ? route.id : undefined;
}
