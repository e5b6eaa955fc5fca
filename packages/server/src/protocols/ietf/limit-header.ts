import { serializeDictionary } from "structured-headers";
import type { InteropRules } from "./versions.ts";

/** The limits of the draft by their newest names: bytes, and seconds for `max-age`. */
export type UploadLimits = Readonly<
  Partial<
    Record<"max-size" | "min-size" | "max-append-size" | "min-append-size" | "max-age", number>
  >
>;

/** The largest Integer of a structured field (RFC 9651, section 3.3.1). */
const integerMax = 999_999_999_999_999;

/** Who asks before it is known whose limits hold is told of none, in the draft's words for that. */
export const noLimits: UploadLimits = { "min-size": 0 };

/** `Upload-Limit`, where the version has it. */
export function limitHeader(
  { lifetimeKey }: Pick<InteropRules, "lifetimeKey">,
  { "max-age": maxAge, ...sizes }: UploadLimits,
): Record<string, string> {
  if (lifetimeKey === undefined) return {};
  const lifetime = maxAge === undefined ? {} : { [lifetimeKey]: maxAge };
  const told = Object.entries({ ...sizes, ...lifetime }).map(
    ([key, value]) => [key, Math.min(value, integerMax)] as const,
  );
  return { "Upload-Limit": serializeDictionary(Object.fromEntries(told)) };
}
