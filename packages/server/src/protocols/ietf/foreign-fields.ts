import { uploadError } from "../../base/errors.ts";
import type { IetfRequest } from "./request.ts";

/** In older versions what belongs to an append makes a request without content a bad one. */
export function refuseForeignFields(
  { exchange, fields }: IetfRequest,
  method: "HEAD" | "DELETE",
): void {
  const foreign = fields.rules.foreignFields[method];
  const name = foreign.find((field) => exchange.header(field) !== undefined);
  if (name === undefined) return;
  throw uploadError("parameter_invalid", {
    name,
    problem: `is a field that ${method} must not have in this version of the draft`,
    valid: "to leave it out",
  });
}
