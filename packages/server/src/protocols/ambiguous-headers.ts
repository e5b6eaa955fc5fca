import { uploadError } from "../base/errors.ts";
import type { Exchange } from "../http/exchange.ts";

/** Headers about which a proxy and this server could disagree: a missing host, a second of some. */
export function refuseAmbiguousHeaders(exchange: Exchange): void {
  if (exchange.lacksHost) {
    throw uploadError("request_malformed", { detail: "The header host is missing." });
  }
  for (const name of ["host", "content-length", "authorization"]) {
    if (exchange.headerValues(name).length > 1) {
      throw uploadError("request_malformed", { detail: `The header ${name} is given twice.` });
    }
  }
}
