import { limits } from "../base/limits.ts";

/** Control and direction-changing characters, separators, and what was not UTF-8 to begin with. */
const forbidden = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffd/\\]/u;
const everyForbidden = new RegExp(forbidden, "gu");

export const validFileName = `1 to ${limits.fileNameBytesMax} bytes of UTF-8 without control characters, / or \\`;

export function holdsForbidden(text: string): boolean {
  return forbidden.test(text);
}

/** What people write where a name may not hold all of it. */
export function withoutForbidden(text: string): string {
  return text.replaceAll(everyForbidden, "_");
}
