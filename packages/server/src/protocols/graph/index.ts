import { UploadError, uploadError } from "../../base/errors.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { Protocol } from "../../http/server.ts";
import { refuseAmbiguousHeaders } from "../ambiguous-headers.ts";
import { appendBytes } from "./append.ts";
import { giveUp } from "./cancel.ts";
import { consumers } from "./consumers.ts";
import { content } from "./content.ts";
import { start } from "./create.ts";
import { errorBody, errorHeaders, graphError } from "./errors.ts";
import { publishFile, removeFile, showFile } from "./files.ts";
import { filesEdge, uploadsEdge } from "./list.ts";
import { Parameters } from "./parameters.ts";
import type { GraphParts } from "./parts.ts";
import { graphHeaders, principalOf, type GraphRequest } from "./request.ts";
import { routeOf, type Route } from "./route.ts";
import { status } from "./status.ts";

/** Meta's Resumable Upload API, as its guide and the contract of its wire have it. */
export class GraphProtocol implements Protocol {
  readonly name = "graph";
  readonly #parts: GraphParts;

  constructor(parts: GraphParts) {
    this.#parts = parts;
  }

  matches(exchange: Exchange): boolean {
    return routeOf(exchange) !== undefined;
  }

  async handle(exchange: Exchange): Promise<void> {
    const route = routeOf(exchange);
    if (route === undefined) return;
    const request = { parts: this.#parts, exchange, version: route.version };
    try {
      refuseAmbiguousHeaders(exchange);
      await carryOut(request, route);
    } catch (error) {
      await answerError(request, route, error);
    }
  }
}

function carryOut(request: GraphRequest, route: Route): Promise<void> {
  const { method } = request.exchange;
  if (route.kind === "upload") {
    if (method === "POST") return appendBytes(request, route);
    if (method === "GET") return status(request, route);
    if (method === "DELETE") return giveUp(request, route);
    throw unsupported(method, `upload:${route.payload}`);
  }
  const handler = nodeHandler(method, route);
  if (handler !== undefined) return handler(request, route.node);
  if (route.edge === undefined && method === "POST") {
    // A node without an edge takes no POST, whoever asks.
    throw unsupported(method, route.node);
  }
  return refuseUnknownEdge(request, [route.node, route.edge].filter(Boolean).join("/"));
}

/** After its token: only whose apps are served here is told what they have. */
async function refuseUnknownEdge(request: GraphRequest, node: string): Promise<never> {
  await principalOf(request, new Parameters([...request.exchange.query]), "read");
  throw unsupported(request.exchange.method, node);
}

type NodeHandler = (request: GraphRequest, node: string) => Promise<void>;

function nodeHandler(
  method: string,
  { edge }: Extract<Route, { kind: "node" }>,
): NodeHandler | undefined {
  switch (`${method} ${edge ?? ""}`) {
    case "POST uploads":
      return start;
    case "GET uploads":
      return uploadsEdge;
    case "POST files":
      return publishFile;
    case "GET files":
      return filesEdge;
    case "GET content":
    case "HEAD content":
      return content;
    case "GET ":
      return showFile;
    case "DELETE ":
      return removeFile;
    default:
      return method === "POST" && edge !== undefined ? consumers[edge] : undefined;
  }
}

function unsupported(method: string, node: string): Error {
  return uploadError("method_unsupported", { method, node });
}

async function answerError(request: GraphRequest, route: Route, error: unknown): Promise<void> {
  const { exchange } = request;
  // Whoever asked has gone: there is nobody to answer.
  if (error === exchange.signal.reason) return;
  const known =
    error instanceof UploadError ? error : uploadError("internal", { detail: String(error) });
  if (known.code === "internal") {
    request.parts.engine.log.error({ trace: exchange.traceId, err: error }, "request failed");
  }
  exchange.logFacts.error = known.code;
  const answer = graphError(known);
  const body = errorBody(answer, {
    trace: exchange.traceId,
    withDebugInfo: route.kind === "upload",
  });
  await exchange.respond({
    status: answer.status,
    headers: { ...graphHeaders(exchange, request.version), ...errorHeaders(answer) },
    body: JSON.stringify(body),
  });
}
