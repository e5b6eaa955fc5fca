import { uploadError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import { withoutForbidden } from "../file-name.ts";

/** What an upload is called of which nobody said a name. */
const unnamed = "unnamed";

/**
 * An upload's name from what a client calls its file: these protocols have no rule for it, so that
 * what a name may not hold is replaced. Fails with `parameter_invalid` when it is too long.
 *
 * @param where the header or key it came in, for the message.
 */
export function nameFrom(text: string | undefined, where: string): string {
  if (text === undefined || text === "") return unnamed;
  const name = withoutForbidden(text.normalize("NFC"));
  if (Buffer.byteLength(name) <= limits.fileNameBytesMax) return name;
  throw uploadError("parameter_invalid", {
    name: where,
    problem: "is too long for a file's name",
    valid: `1 to ${limits.fileNameBytesMax} bytes of UTF-8`,
  });
}
