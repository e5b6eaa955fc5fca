import { filetypeinfo } from "magic-bytes.js";

/** Names of one type that are in use side by side. */
const aliases: Readonly<Record<string, string>> = { "image/jpg": "image/jpeg" };

/** What bytes are declared to be of which nobody says more: whatever they are is that. */
const anyType = "application/octet-stream";

/**
 * Whether a file that begins with `head` can be of the declared type; undefined when its bytes,
 * or what was declared, say nothing about their type.
 */
export function typeAgrees(declared: string, head: Uint8Array): boolean | undefined {
  if (declared === anyType) return undefined;
  const types = filetypeinfo(head).flatMap((guess) =>
    guess.mime === undefined ? [] : [guess.mime],
  );
  if (types.length === 0) return undefined;
  const wanted = aliases[declared] ?? declared;
  return types.some((type) => (aliases[type] ?? type) === wanted);
}
