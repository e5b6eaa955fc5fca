import { bytesInWords } from "./amounts.ts";
import type { Trouble } from "./trouble.ts";
import { typeRefused } from "./trouble.ts";

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

/** What the server would refuse anyway, so that it need not be asked; undefined when it may take it. */
export function objectionTo(file: File, { types, lengthMax }: Limits): Trouble | undefined {
  if (file.size === 0) return { happened: "The file is empty.", next: "There is nothing to send." };
  if (file.size > lengthMax) {
    const happened = `The server takes files of up to ${bytesInWords(lengthMax)}.`;
    return { happened, next: "Split it, or ask who runs the server to allow more." };
  }
  if (file.type === "" || types.length === 0 || types.includes(file.type)) return undefined;
  return { ...typeRefused, happened: `The server does not take ${typeInWords(file.type)} files.` };
}

function typeInWords(type: string): string {
  const short = type.slice(type.indexOf("/") + 1).toUpperCase();
  return { JPG: "JPEG", PLAIN: "text" }[short] ?? short;
}
