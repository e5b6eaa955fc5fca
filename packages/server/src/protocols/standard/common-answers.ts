import type { ErrorFacts } from "../../base/errors.ts";

/** A refusal as both protocols can say it: in plain words, with what to do next. */
export interface CommonAnswer {
  readonly status: number;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type CommonCode =
  | "token_missing"
  | "token_invalid"
  | "token_expired"
  | "scope_missing"
  | "request_malformed"
  | "node_unknown"
  | "method_unsupported"
  | "parameter_invalid"
  | "signature_invalid"
  | "handle_invalid"
  | "internal";

/** What is none of a dialect's own business: who asks, for what, and whether it can be read. */
export const commonAnswers: {
  readonly [C in CommonCode]: (facts: ErrorFacts[C]) => CommonAnswer;
} = {
  token_missing: ({ where }) => ({
    status: 401,
    detail: `A token is missing. Send it in ${where}, as "Bearer <token>".`,
    headers: { "WWW-Authenticate": "Bearer" },
  }),
  token_invalid: ({ problem }) => ({
    status: 401,
    detail: `The token is not valid. ${problem}`,
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
  }),
  token_expired: ({ expiredAt }) => ({
    status: 401,
    detail: `The token expired at ${new Date(expiredAt).toISOString()}. Send another one.`,
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
  }),
  scope_missing: ({ scope }) => ({
    status: 403,
    detail: `The token does not have the scope "${scope}", which this takes.`,
    headers: { "WWW-Authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
  }),
  request_malformed: ({ detail }) => ({
    status: 400,
    detail: `The request is malformed. ${detail}`,
  }),
  node_unknown: ({ node }) => ({
    status: 404,
    detail: `There is no upload ${node}, or this token may not see it. Start a new one.`,
  }),
  method_unsupported: ({ method, node }) => ({
    status: 405,
    detail: `${method} is nothing that can be asked of ${node}.`,
  }),
  parameter_invalid: ({ name, problem, valid }) => ({
    status: 400,
    detail: `${name} ${problem}. Valid: ${valid}.`,
  }),
  signature_invalid: () => ({ status: 404, detail: "The id was altered on its way." }),
  handle_invalid: ({ problem }) => ({
    status: 400,
    detail: `The handle is not valid: ${problem}.`,
  }),
  internal: () => ({ status: 500, detail: "Something went wrong on the server. Try again." }),
};

/** The same answer, with when to come again. */
export function later<A extends Pick<CommonAnswer, "headers">>(answer: A, seconds: number): A {
  return { ...answer, headers: { ...answer.headers, "Retry-After": String(seconds) } };
}
