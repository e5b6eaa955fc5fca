import type { ErrorFacts, UploadError, UploadErrorCode } from "../../base/errors.ts";

/** One error in Graph's words; both envelopes are made from it. */
export interface GraphError {
  readonly status: number;
  readonly type: "OAuthException" | "GraphMethodException";
  readonly code: number;
  readonly subcode?: number;
  readonly message: string;
  readonly userTitle?: string;
  readonly userMessage?: string;
  readonly transient?: boolean;
  readonly debugType:
    | "NotAuthorizedError"
    | "ParameterValidationError"
    | "OffsetInvalidError"
    | "PartialRequestError"
    | "ProcessingFailedError";
  readonly retriable: boolean;
  readonly retryAfterSeconds?: number;
  readonly challenge?: "invalid_request" | "invalid_token";
}

const invalidRequest = {
  status: 400,
  type: "OAuthException",
  code: 100,
  debugType: "ParameterValidationError",
  retriable: false,
} as const;

const notAuthorized = { ...invalidRequest, debugType: "NotAuthorizedError" } as const;
const unknownNode = { ...invalidRequest, type: "GraphMethodException", subcode: 33 } as const;
const transient = { type: "OAuthException", code: 2, transient: true, retriable: true } as const;

type Answers = { readonly [C in UploadErrorCode]: (facts: ErrorFacts[C]) => GraphError };

/** Exhaustive: a new engine code does not compile until Graph has its answer. */
const answers: Answers = {
  token_missing: ({ where }) => ({
    ...notAuthorized,
    status: 401,
    code: 104,
    message: `An access token is required to request this resource: send it in ${where}.`,
    challenge: "invalid_request",
  }),
  token_invalid: ({ problem }) => ({
    ...notAuthorized,
    status: 401,
    code: 190,
    message: `Invalid OAuth access token. ${problem}`,
    challenge: "invalid_token",
  }),
  token_expired: ({ expiredAt }) => ({
    ...notAuthorized,
    status: 401,
    code: 190,
    subcode: 463,
    message: `Error validating access token: it expired at ${new Date(expiredAt).toISOString()}.`,
    challenge: "invalid_token",
  }),
  scope_missing: ({ scope }) => ({
    ...notAuthorized,
    status: 403,
    code: 200,
    message: `Requires the scope "${scope}", which this access token does not have.`,
  }),
  request_malformed: ({ detail, aboutToken }) => ({
    ...invalidRequest,
    message: `Invalid request. ${detail}`,
    ...(aboutToken === true ? { challenge: "invalid_request" } : {}),
  }),
  node_unknown: ({ node }) => ({
    ...unknownNode,
    status: 404,
    message:
      `Unsupported request. Object with ID '${node}' does not exist, or this access token may ` +
      "not see it.",
  }),
  method_unsupported: ({ method, node }) => ({
    ...invalidRequest,
    type: "GraphMethodException",
    message: `Unsupported ${method.toLowerCase()} request on '${node}'.`,
  }),
  parameter_invalid: ({ name, problem, valid }) => ({
    ...invalidRequest,
    message: `(#100) The parameter ${name} ${problem}. Valid: ${valid}.`,
  }),
  signature_invalid: ({ id, signature }) => ({
    ...unknownNode,
    message: `HMAC check failed! sessionId=${id} mac=${signature}`,
    userTitle: "The upload id was altered on its way",
    userMessage:
      "Use the id exactly as it was answered, with its ?sig= part, and add parameters with &.",
  }),
  offset_mismatch: ({ offset, provided }) => ({
    status: 412,
    type: "OAuthException",
    code: 100,
    transient: true,
    debugType: "OffsetInvalidError",
    retriable: true,
    message:
      `Request starting offset is invalid: the upload is at ${offset}, the request starts at ` +
      `${provided}. Go on from ${offset}.`,
  }),
  length_inconsistent: ({ offset, length, provided }) => ({
    ...invalidRequest,
    message:
      `The request would make the upload ${provided} bytes long, but its length is ${length}. ` +
      `${offset} bytes are stored.`,
  }),
  digest_mismatch: ({ offset, algorithm }) => ({
    ...invalidRequest,
    retriable: true,
    message:
      `The bytes of the request are not those that its ${algorithm} digest is of: none was kept. ` +
      `Send them again from ${offset} on.`,
  }),
  unproven_too_long: ({ bytesMax }) => ({
    ...invalidRequest,
    message: `A request with a digest of its content can bring ${bytesMax} bytes at most.`,
  }),
  digest_inconsistent: () => ({
    ...invalidRequest,
    message: "The digest of the whole upload was said to be another before.",
  }),
  not_appendable: ({ reason }) => ({
    ...invalidRequest,
    message: `Nothing can be appended to this upload: ${reason}.`,
  }),
  length_exceeded: ({ offset, length }) => ({
    ...invalidRequest,
    debugType: "PartialRequestError",
    message:
      `The body is longer than the upload: its file_length is ${length}, ` +
      `and ${offset} bytes of it are here.`,
  }),
  content_rejected: ({ reason }) => ({
    ...invalidRequest,
    debugType: "ProcessingFailedError",
    message: `The upload was rejected: ${reason}.`,
  }),
  upload_gone: ({ state }) => ({
    ...unknownNode,
    status: 410,
    message: `The upload was ${state} and its bytes are gone. Start a new one.`,
  }),
  upload_damaged: ({ offset }) => ({
    ...unknownNode,
    status: 409,
    debugType: "ProcessingFailedError",
    message: `The upload is damaged: bytes before ${offset} are missing. Start a new one.`,
  }),
  body_too_slow: ({ offset }) => ({
    ...transient,
    status: 408,
    debugType: "PartialRequestError",
    message: `The body came too slowly. ${offset} bytes are stored: go on from there.`,
  }),
  body_cut: ({ offset }) => ({
    ...invalidRequest,
    ...transient,
    status: 400,
    debugType: "PartialRequestError",
    message: `The body ended early. ${offset} bytes are stored: go on from there.`,
  }),
  superseded: ({ offset }) => busy(`Another request took this upload over at ${offset}.`, 1),
  upload_busy: ({ retryAfterSeconds }) =>
    busy("Another request is writing this upload and has not let go yet.", retryAfterSeconds),
  draining: ({ offset }) =>
    busy(`The server is stopping. ${offset} bytes are stored: go on from there.`, 1),
  storage_failed: ({ offset }) =>
    busy(
      "The server's storage failed." +
        (offset === undefined ? "" : ` ${offset} bytes are stored: go on from there.`),
      5,
    ),
  no_room: ({ offset, appBytesMax }) => ({
    ...transient,
    status: 507,
    debugType: "ProcessingFailedError",
    retryAfterSeconds: 30,
    message:
      (appBytesMax === undefined
        ? "There is no room left on the server."
        : `The open uploads of this app may bring ${appBytesMax} bytes in all. Finish or cancel some.`) +
      (offset === undefined ? "" : ` ${offset} bytes are stored: go on from there later.`),
  }),
  handle_invalid: ({ problem }) => ({
    ...invalidRequest,
    subcode: 2494102,
    message: `(#100) Invalid parameter: the handle cannot be used, because ${problem}.`,
    userTitle: "Uploaded media handle is invalid",
    userMessage: "Upload the file again and use the handle that the last request answers.",
  }),
  internal: () => ({
    ...invalidRequest,
    status: 500,
    code: 1,
    debugType: "ProcessingFailedError",
    retriable: true,
    message: "An unknown error has occurred.",
  }),
};

function busy(message: string, retryAfterSeconds: number): GraphError {
  return {
    ...transient,
    status: 503,
    debugType: "ProcessingFailedError",
    message,
    retryAfterSeconds,
  };
}

export function graphError(error: UploadError): GraphError {
  const answer = answers[error.code] as (facts: unknown) => GraphError;
  // The pair of code and facts was checked where the error was made.
  return answer(error.detail.facts);
}

export interface ErrorWriting {
  readonly trace: string;
  /** Steps 2 and 3 answer in the upload service's envelope too. */
  readonly withDebugInfo: boolean;
}

export function errorBody(error: GraphError, { trace, withDebugInfo }: ErrorWriting): object {
  const debug = { retriable: error.retriable, type: error.debugType, message: error.message };
  return {
    error: {
      message: error.message,
      type: error.type,
      code: error.code,
      ...(error.subcode === undefined ? {} : { error_subcode: error.subcode }),
      ...(error.userTitle === undefined ? {} : { error_user_title: error.userTitle }),
      ...(error.userMessage === undefined ? {} : { error_user_msg: error.userMessage }),
      ...(error.transient === undefined ? {} : { is_transient: error.transient }),
      fbtrace_id: trace,
    },
    ...(withDebugInfo ? { debug_info: debug } : {}),
  };
}

export function errorHeaders(error: GraphError): Record<string, string> {
  const quoted = error.message.replaceAll(/["\\]/g, "'");
  return {
    ...(error.challenge === undefined
      ? {}
      : { "WWW-Authenticate": `OAuth "Facebook Platform" "${error.challenge}" "${quoted}"` }),
    ...(error.retryAfterSeconds === undefined
      ? {}
      : { "Retry-After": String(error.retryAfterSeconds) }),
  };
}
