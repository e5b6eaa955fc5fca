import { uploadError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import { holdsForbidden, validFileName, withoutForbidden } from "../file-name.ts";
import type { Parameters } from "./parameters.ts";

/** A file's name under this parameter; undefined when there is none. */
export function fileNameOf(parameters: Parameters, name: string): string | undefined {
  const text = nonEmpty(parameters.text(name))?.normalize("NFC");
  if (text === undefined) return undefined;
  refuseLonger(text, { name, bytesMax: limits.fileNameBytesMax, valid: validFileName });
  if (holdsForbidden(text)) {
    const problem = "holds a character that a file name may not hold";
    throw uploadError("parameter_invalid", { name, problem, valid: validFileName });
  }
  return text;
}

/** A title that becomes a file's name: people write there what a name may not hold. */
export function titleOf(parameters: Parameters): string | undefined {
  const text = nonEmpty(parameters.text("title"))?.normalize("NFC");
  if (text === undefined) return undefined;
  const bytesMax = limits.fileNameBytesMax;
  refuseLonger(text, { name: "title", bytesMax, valid: `1 to ${bytesMax} bytes of UTF-8` });
  return withoutForbidden(text);
}

export function descriptionOf(parameters: Parameters): string | undefined {
  const text = parameters.text("description");
  const bytesMax = limits.descriptionBytesMax;
  const valid = `up to ${bytesMax} bytes of UTF-8 without NUL`;
  if (text === undefined) return undefined;
  refuseLonger(text, { name: "description", bytesMax, valid });
  // Postgres keeps no text that holds one.
  if (text.includes("\0")) {
    throw uploadError("parameter_invalid", { name: "description", problem: "holds a NUL", valid });
  }
  return text;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function refuseLonger(
  text: string,
  { name, bytesMax, valid }: { name: string; bytesMax: number; valid: string },
): void {
  if (Buffer.byteLength(text) <= bytesMax) return;
  throw uploadError("parameter_invalid", { name, problem: "is too long", valid });
}
