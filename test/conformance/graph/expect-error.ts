import { expect } from "vitest";

import type { GraphAnswer, JsonRecord } from "./graph-api.ts";

export interface ExpectedError {
  readonly status: number;
  /** `error.type` */
  readonly type: string;
  readonly code: number;
  readonly subcode?: number;
  readonly transient?: boolean;
  /** What the message must name. */
  readonly message?: RegExp;
}

export interface ExpectedUploadError extends ExpectedError {
  /** `debug_info.type` */
  readonly debugType: string;
  readonly retriable: boolean;
}

/** The lines of the contract's table of errors, named once. */
export const noToken = {
  status: 401,
  type: "OAuthException",
  code: 104,
  debugType: "NotAuthorizedError",
  retriable: false,
} as const;

export const unknownToken = { ...noToken, code: 190 } as const;

export const malformed = {
  status: 400,
  type: "OAuthException",
  code: 100,
  debugType: "ParameterValidationError",
  retriable: false,
} as const;

export const badSignature = {
  ...malformed,
  type: "GraphMethodException",
  subcode: 33,
  message: /^HMAC check failed! sessionId=upload:/,
} as const;

export const unknownNode = {
  ...malformed,
  status: 404,
  type: "GraphMethodException",
  subcode: 33,
} as const;

export const gone = { ...unknownNode, status: 410 } as const;

export const unsupportedRequest = {
  status: 400,
  type: "GraphMethodException",
  code: 100,
} as const;

export const staleOffset = {
  status: 412,
  type: "OAuthException",
  code: 100,
  transient: true,
  message: /Request starting offset is invalid/,
  debugType: "OffsetInvalidError",
  retriable: true,
} as const;

export const bodyTooLong = {
  status: 400,
  type: "OAuthException",
  code: 100,
  debugType: "PartialRequestError",
  retriable: false,
} as const;

export const rejectedContent = { ...bodyTooLong, debugType: "ProcessingFailedError" } as const;

export const tooSlow = {
  status: 408,
  type: "OAuthException",
  code: 2,
  transient: true,
  debugType: "PartialRequestError",
  retriable: true,
} as const;

export const full = { ...tooSlow, status: 507, debugType: "ProcessingFailedError" } as const;

export const invalidHandle = {
  status: 400,
  type: "OAuthException",
  code: 100,
  subcode: 2494102,
} as const;

const errorFields = new Set([
  "message",
  "type",
  "code",
  "error_subcode",
  "error_user_title",
  "error_user_msg",
  "is_transient",
  "fbtrace_id",
]);

function expectErrorObject(error: JsonRecord, expected: ExpectedError): void {
  const { type, code, subcode, transient, message } = expected;
  expect(error).toMatchObject({ type, code });
  if (subcode !== undefined) expect(error).toMatchObject({ error_subcode: subcode });
  expect(error.is_transient === true, "is_transient").toBe(transient ?? false);
  expect(error.message).toEqual(expect.stringMatching(message ?? /\S/));
  expect(error.fbtrace_id).toEqual(expect.stringMatching(/^\S+$/));
  const strange = Object.keys(error).filter((field) => !errorFields.has(field));
  expect(strange, "fields of error that Graph does not have").toEqual([]);
}

/** Every answer of the API, good or bad, names its version, its trace, and is not to be stored. */
export function expectGraphHeaders(answer: GraphAnswer): void {
  expect(answer.headers["facebook-api-version"]).toEqual(expect.stringMatching(/^v\d+\.\d+$/));
  expect(answer.headers["x-fb-trace-id"]).toEqual(expect.stringMatching(/^\S+$/));
  expect(answer.headers["cache-control"]).toEqual(expect.stringContaining("no-store"));
}

/** Status, headers and the one envelope of step 1 and of publishing: `error` alone. */
export function expectGraphError(answer: GraphAnswer, expected: ExpectedError): void {
  const seen = answer.body.toString();
  expect(answer.status, seen).toBe(expected.status);
  expect(Object.keys(answer.json), seen).toEqual(["error"]);
  expectErrorObject(answer.record("error"), expected);
  expectGraphHeaders(answer);
}

/** Status, headers and both envelopes of steps 2 and 3, which say the same thing. */
export function expectUploadError(answer: GraphAnswer, expected: ExpectedUploadError): void {
  const seen = answer.body.toString();
  expect(answer.status, seen).toBe(expected.status);
  expect(Object.keys(answer.json).sort(), seen).toEqual(["debug_info", "error"]);
  expectErrorObject(answer.record("error"), expected);
  expect(answer.record("debug_info"), seen).toMatchObject({
    retriable: expected.retriable,
    type: expected.debugType,
    message: answer.record("error").message,
  });
  expectGraphHeaders(answer);
}

/** The challenge that comes with 400 and 401 token errors. */
export function expectChallenge(answer: GraphAnswer, kind: "invalid_request" | "invalid_token") {
  const challenge = answer.headers["www-authenticate"] ?? "";
  expect(challenge).toMatch(/^OAuth "Facebook Platform" "invalid_(request|token)" ".+"$/);
  expect(challenge).toContain(`"${kind}"`);
}
