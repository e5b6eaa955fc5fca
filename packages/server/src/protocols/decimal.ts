import { limits } from "../base/limits.ts";

const strictDecimal = /^(0|[1-9][0-9]{0,15})$/;

/** A strict decimal within bounds, or undefined. */
export function parseDecimal(text: string, most = limits.offsetMax): number | undefined {
  if (!strictDecimal.test(text)) return undefined;
  const value = Number(text);
  return value <= most ? value : undefined;
}
