import { limits } from "../../base/limits.ts";
import type { AppDetails } from "../../access/apps.ts";
import type { Upload } from "../../engine/records.ts";
import { limitHeader } from "./limit-header.ts";
import { limitsOf, locationHeader, type IetfRequest } from "./request.ts";
import type { InteropRules } from "./versions.ts";

/** 104 (Upload Resumption Supported): where a new upload can be gone on with, should this be cut. */
export function announce(request: IetfRequest, app: AppDetails, upload: Upload): void {
  inform(request, {
    ...locationHeader(request, upload),
    ...limitHeader(request.fields.rules, limitsOf(request, app, upload)),
  });
}

/**
 * Tells the client offsets as they become durable, now and then; undefined where it is not to be
 * told. These answers never name the upload's URL.
 */
export function progressOf(request: IetfRequest): ((offset: number) => void) | undefined {
  const { rules } = request.fields;
  if (!request.informs || !rules.progress) return undefined;
  const { clock } = request.parts.engine;
  let quietUntil = clock.monotonic();
  return (offset) => {
    const now = clock.monotonic();
    if (now < quietUntil) return;
    quietUntil = now + limits.interimMsMin;
    inform(request, { "Upload-Offset": String(offset) });
  };
}

/** Only to who named a version of the draft that is ours, and naming the same (Appendix B). */
function inform(request: IetfRequest, headers: Readonly<Record<string, string>>): void {
  if (!request.informs) return;
  const { link } = request.seen;
  request.exchange.inform(104, {
    ...versionHeader(request.fields.rules),
    ...headers,
    ...(link === undefined ? {} : { Link: link }),
  });
}

export function versionHeader({ interop }: Pick<InteropRules, "interop">): Record<string, string> {
  return { "Upload-Draft-Interop-Version": String(interop) };
}
