import type { Upload } from "../../engine/records.ts";
import { IetfRefusal } from "./problems.ts";
import type { InteropRules } from "./versions.ts";

/** An upload that ended without completing is not active any more, whatever is asked of it. */
export function refuseEnded(upload: Upload, { endedStatus }: InteropRules): void {
  const { state, reason } = upload;
  if (state === "open" || state === "complete") return;
  const why = reason === undefined ? "" : `: ${reason}`;
  throw new IetfRefusal({ status: endedStatus, detail: `The upload is ${state}${why}.` });
}
