import { uploadError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { Exchange } from "../../http/exchange.ts";
import { parseDecimal } from "../decimal.ts";

const nginxCure =
  "nginx and some other proxies drop header names with underscores by default: set " +
  '"underscores_in_headers on" there, or send the header as "file-offset"';

/** Where the sender means to go on. Required here; the real service takes 0 when it is missing. */
export function fileOffsetOf(exchange: Exchange): number {
  const values = [...exchange.headerValues("file_offset"), ...exchange.headerValues("file-offset")];
  const [value] = values;
  const valid = `a decimal number of bytes from 0 to ${limits.offsetMax}`;
  if (value === undefined) {
    throw uploadError("parameter_invalid", {
      name: "file_offset",
      problem: `is missing from the headers; ${nginxCure}`,
      valid,
    });
  }
  if (values.length > 1) {
    throw uploadError("parameter_invalid", {
      name: "file_offset",
      problem: "is given more than once",
      valid: "one header",
    });
  }
  const offset = parseDecimal(value.trim());
  if (offset === undefined) {
    throw uploadError("parameter_invalid", {
      name: "file_offset",
      problem: "is not a number of bytes",
      valid,
    });
  }
  return offset;
}

/** The names in `fields=`, or undefined when the caller did not ask for any. */
export function fieldsOf(text: string | undefined, known: readonly string[]): string[] | undefined {
  if (text === undefined) return undefined;
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => name !== "" && !known.includes(name));
  if (unknown !== undefined) {
    throw uploadError("parameter_invalid", {
      name: "fields",
      problem: `asks for "${unknown}", which is not a field here`,
      valid: known.join(", "),
    });
  }
  return names.filter((name) => name !== "");
}

export function pageSizeOf(text: string | undefined): number {
  if (text === undefined) return limits.pageSizeDefault;
  const size = parseDecimal(text, limits.pageSizeMax);
  if (size === undefined || size === 0) {
    throw uploadError("parameter_invalid", {
      name: "limit",
      problem: "is not a number of rows",
      valid: `1 to ${limits.pageSizeMax}`,
    });
  }
  return size;
}
