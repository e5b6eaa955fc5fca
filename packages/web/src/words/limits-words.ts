import { bytesInWords } from "./amounts.ts";

interface Limits {
  readonly lengthMax: number;
  readonly types: readonly string[];
}

/** What the server takes: `PDF, JPEG, PNG and MP4, up to 4 GB each`. */
export function limitsInWords({ types, lengthMax }: Limits): string {
  const size = `up to ${bytesInWords(lengthMax)} each`;
  if (types.length === 0 || types.length > 8 || types.includes("*/*")) return `Any file, ${size}`;
  const names = [...new Set(types.map(typeInWords))];
  const last = names.pop() ?? "";
  return `${names.length === 0 ? last : `${names.join(", ")} and ${last}`}, ${size}`;
}

function typeInWords(type: string): string {
  const short = type.slice(type.indexOf("/") + 1).toUpperCase();
  return short === "JPG" ? "JPEG" : short;
}
