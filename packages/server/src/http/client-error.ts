import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { systemErrorCode } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { type Answer, newTraceId } from "./exchange.ts";

const notHttp = "The request is not well-formed HTTP.";

export interface RawRefusal {
  readonly error: Error;
  readonly socket: Socket;
  readonly random: Random;
  readonly log: Log;
  readonly headers: Readonly<Record<string, string>>;
}

/** Our own fault, in the words that clients of the Graph protocol know. */
export function unknownErrorAnswer(traceId: string): Answer {
  return {
    status: 500,
    headers: { "Content-Type": "application/json; charset=UTF-8" },
    body: errorBody("An unknown error has occurred.", { code: 1, traceId }),
  };
}

/** A request whose head contradicts HTTP, on a route that has no words of its own for it. */
export function malformedAnswer(traceId: string): Answer {
  return {
    status: 400,
    headers: { "Content-Type": "application/json; charset=UTF-8" },
    body: errorBody(notHttp, { code: 100, traceId }),
  };
}

/** Answers on a socket whose bytes are no request, so that there is no response to write to. */
export function refuseRaw(refusal: RawRefusal): void {
  const { error, socket, random, log, headers } = refusal;
  const problem = systemErrorCode(error);
  // A head that was cut is a lost connection, after which clients try again; not so after a 400.
  if (problem === "ECONNRESET" || problem === "HPE_INVALID_EOF_STATE" || !socket.writable) {
    socket.destroy();
    return;
  }
  const traceId = newTraceId(random);
  const { status, message } = refusalOf(problem);
  const body = errorBody(message, { code: 100, traceId });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Content-Type: application/json; charset=UTF-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  // Lingers: see lingering-close.ts.
  socket.destroySoon();
  log.info({ trace: traceId, status, problem }, "refused what is not a request");
}

function refusalOf(problem: string | undefined): { status: number; message: string } {
  if (problem === "HPE_HEADER_OVERFLOW") {
    return { status: 431, message: "The request's headers are too large." };
  }
  if (problem === "ERR_HTTP_REQUEST_TIMEOUT") {
    return { status: 408, message: "The request's headers did not arrive in time." };
  }
  return { status: 400, message: notHttp };
}

function errorBody(message: string, facts: { code: number; traceId: string }): string {
  const { code, traceId } = facts;
  return JSON.stringify({ error: { message, type: "OAuthException", code, fbtrace_id: traceId } });
}
