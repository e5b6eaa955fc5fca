import type { UploadErrorFacts } from "../errors.ts";
import { UploadError } from "../errors.ts";
import type { TransportAnswer } from "../transports/transport.ts";
import { classify, excerpt, isJson, parseJson, readCount, readText, readWaitMs } from "./answer.ts";
import { hintFor } from "./graph-hints.ts";

/** A refusal, whichever of the service's two envelopes it came in, or neither. */
export function readRefusal(answer: TransportAnswer): UploadError {
  const body = parseJson(answer.text) ?? {};
  const error = isJson(body.error) ? body.error : {};
  const debug = isJson(body.debug_info) ? body.debug_info : {};
  const message =
    readText(error, "message") ?? readText(debug, "message") ?? `answered ${excerpt(answer.text)}`;
  const facts: UploadErrorFacts = {
    status: answer.status,
    type: readText(debug, "type") ?? readText(error, "type"),
    graphCode: readCount(error, "code"),
    graphSubcode: readCount(error, "error_subcode"),
    retriable: debug.retriable === true || error.is_transient === true,
    waitMs: readWaitMs(answer, [debug, error, body]),
    traceId: readText(error, "fbtrace_id") ?? answer.headers["x-fb-trace-id"],
  };
  const code = classify(facts);
  const hint = hintFor(code, facts, message);
  return new UploadError(code, `${message} (${answer.status})`, { ...facts, hint });
}
