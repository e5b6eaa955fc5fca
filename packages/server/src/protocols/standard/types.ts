import type { AppDetails } from "../../access/apps.ts";
import { uploadError } from "../../base/errors.ts";
import { mediaTypeOf } from "./choose.ts";

/** What bytes are of which nobody says more (RFC 9110, section 8.3). */
const anyType = "application/octet-stream";

/**
 * An upload's media type from what a client says, without parameters. It must be one that the app
 * takes, and so must the one that stands for none.
 *
 * @param where the header or key it came in, for the message.
 */
export function typeFrom(
  text: string | undefined,
  where: string,
  app: Pick<AppDetails, "types">,
): string {
  const said = mediaTypeOf(text);
  const type = said ?? anyType;
  if (app.types.includes(type)) return type;
  const problem =
    said === undefined
      ? `is missing, which counts as ${anyType}, and this app does not take that`
      : "is not a type that this app takes";
  throw uploadError("parameter_invalid", { name: where, problem, valid: app.types.join(", ") });
}
