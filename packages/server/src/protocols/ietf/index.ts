import { uploadError } from "../../base/errors.ts";
import { refuseAmbiguousHeaders } from "../ambiguous-headers.ts";
import type { StandardDialect } from "../standard/dialect.ts";
import { knownAppOf, seenHeaders, type StandardRequest } from "../standard/request.ts";
import { routeOf, type StandardRoute } from "../standard/route.ts";
import { appendPart } from "./append.ts";
import { cancelUpload } from "./cancel.ts";
import { create } from "./create.ts";
import { problemOf } from "./errors.ts";
import { fieldsOf, flagHeader } from "./fields.ts";
import { versionHeader } from "./interim.ts";
import { limitHeader, noLimits } from "./limit-header.ts";
import { IetfRefusal, problemBody, type Problem } from "./problems.ts";
import { limitsOf, nothingSeenYet, type IetfRequest } from "./request.ts";
import { status } from "./status.ts";
import { newest } from "./versions.ts";

export interface IetfSettings {
  /** Whether 104 (Upload Resumption Supported) is sent; some clients and proxies take it ill. */
  readonly interimAnswers: boolean;
}

const partType = "application/partial-upload";

type Handler = (request: IetfRequest, route: StandardRoute) => Promise<void>;

/** By method; what is not here is 405. */
const onCollection: Readonly<Record<string, Handler>> = {
  PATCH: create,
  POST: create,
  PUT: create,
};

const onUpload: Readonly<Record<string, Handler>> = {
  DELETE: cancelUpload,
  GET: status,
  HEAD: status,
  PATCH: appendPart,
};

/** Resumable Uploads for HTTP, interop versions 3 to 10 (docs/protocols/ietf.md). */
export class IetfDialect implements StandardDialect {
  readonly #settings: IetfSettings;

  constructor(settings: IetfSettings) {
    this.#settings = settings;
  }

  async handle(standard: StandardRequest, route: StandardRoute): Promise<void> {
    const fields = fieldsOf(standard.exchange);
    const informs = this.#settings.interimAnswers && fields.isNamed;
    const request: IetfRequest = { ...standard, fields, informs, seen: nothingSeenYet() };
    try {
      refuseAmbiguousHeaders(standard.exchange);
      const handlers = handlersOf(route);
      const handler = Object.hasOwn(handlers, request.method)
        ? handlers[request.method]
        : undefined;
      if (handler === undefined) throw unsupported(request, route);
      await handler(request, route);
    } catch (error) {
      await refuse(request, error);
    }
  }

  async describe(request: StandardRequest): Promise<Readonly<Record<string, string>>> {
    const app = await knownAppOf(request);
    const route = routeOf(request.exchange.path) ?? { kind: "collection" };
    return {
      Allow: allowed(route),
      "Accept-Patch": partType,
      ...limitHeader(newest, app === undefined ? noLimits : limitsOf(request, app)),
      // Who looks at a proxy has to know whether a 104 that did not come was sent.
      ...(this.#settings.interimAnswers ? versionHeader(newest) : {}),
    };
  }
}

function handlersOf({ kind }: StandardRoute): Readonly<Record<string, Handler>> {
  return kind === "collection" ? onCollection : onUpload;
}

function allowed(route: StandardRoute): string {
  return [...Object.keys(handlersOf(route)), "OPTIONS"].sort().join(", ");
}

function unsupported({ method, exchange, fields }: IetfRequest, route: StandardRoute): Error {
  const error = uploadError("method_unsupported", { method, node: exchange.path });
  const { problem } = problemOf(error, fields.rules);
  return new IetfRefusal({ ...problem, headers: { Allow: allowed(route) } });
}

async function refuse(request: IetfRequest, error: unknown): Promise<void> {
  const { exchange, parts, fields } = request;
  // Whoever asked has gone: there is nobody to answer.
  if (error === exchange.signal.reason) return;
  const { code, problem } = problemOf(error, fields.rules);
  if (code === "internal") {
    parts.engine.log.error({ trace: exchange.traceId, err: error }, "request failed");
  }
  exchange.logFacts.error = code;
  await exchange.respond({
    status: problem.status,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      ...whatIsKnown(request, problem),
      ...problem.headers,
    },
    body: problemBody(problem, { trace: exchange.traceId }),
  });
}

/**
 * What goes on may be gone on with: where, and that this is not the last answer of the upload. One
 * that is says so, for no other attempt would change it.
 */
function whatIsKnown(request: IetfRequest, problem: Problem): Record<string, string> {
  const { fields, seen } = request;
  const { isFinal = false, offset = isFinal ? undefined : seen.offset, appendSizeMax } = problem;
  const ofAppends = appendSizeMax === undefined ? {} : { "max-append-size": appendSizeMax };
  const app = problem.status === 413 ? seen.app : undefined;
  return {
    ...seenHeaders(request),
    ...(offset === undefined ? {} : { "Upload-Offset": String(offset) }),
    ...(seen.aboutUpload ? flagHeader(fields.rules, isFinal) : {}),
    ...(app === undefined
      ? {}
      : limitHeader(fields.rules, { ...limitsOf(request, app), ...ofAppends })),
  };
}
