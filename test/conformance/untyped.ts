import type { ServerProcessOptions } from "../support/server-process.ts";

/** Besides the guide's some types: what counts as no type, which most of these uploads have. */
export const typesWithUntyped: readonly string[] = [
  "application/octet-stream",
  "application/pdf",
  "image/jpeg",
  "image/png",
  "video/mp4",
];

/** A server whose own app takes uploads that say no type. */
export function takingUntyped(options: ServerProcessOptions = {}): ServerProcessOptions {
  const { extraArguments = [] } = options;
  return { ...options, extraArguments: [...untypedArguments, ...extraArguments] };
}

/** The same as arguments of `hawser serve`. */
export const untypedArguments: readonly string[] = ["--app-types", typesWithUntyped.join(",")];
