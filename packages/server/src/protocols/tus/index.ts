import { uploadLengthMax } from "../../access/apps.ts";
import { uploadError } from "../../base/errors.ts";
import { refuseAmbiguousHeaders } from "../ambiguous-headers.ts";
import type { StandardDialect } from "../standard/dialect.ts";
import { knownAppOf, seenHeaders, type StandardRequest } from "../standard/request.ts";
import type { StandardRoute } from "../standard/route.ts";
import { appendBytes } from "./append.ts";
import { remove } from "./cancel.ts";
import { checksumAlgorithms } from "./checksum.ts";
import { create } from "./create.ts";
import { TusRefusal, tusError } from "./errors.ts";
import { commonHeaders, requireVersion, version } from "./fields.ts";
import { status } from "./status.ts";

/** Every store appends, expires, reads again and names extents twice: so all of them, always. */
const extensions = [
  "creation",
  "creation-with-upload",
  "creation-defer-length",
  "expiration",
  "checksum",
  "checksum-trailer",
  "termination",
  "concatenation",
  "concatenation-unfinished",
];

/** tus 1.0.0 with its extensions (docs/protocols/tus.md). */
export class TusDialect implements StandardDialect {
  async handle(request: StandardRequest, route: StandardRoute): Promise<void> {
    try {
      refuseAmbiguousHeaders(request.exchange);
      requireVersion(request.exchange);
      await carryOut(request, route);
    } catch (error) {
      await refuse(request, error);
    }
  }

  async describe(request: StandardRequest): Promise<Readonly<Record<string, string>>> {
    const app = await knownAppOf(request);
    return {
      ...commonHeaders,
      "Tus-Version": version,
      "Tus-Extension": extensions.join(","),
      "Tus-Checksum-Algorithm": checksumAlgorithms.join(","),
      ...(app === undefined ? {} : { "Tus-Max-Size": String(uploadLengthMax(app)) }),
    };
  }
}

function carryOut(request: StandardRequest, route: StandardRoute): Promise<void> {
  const { method } = request;
  if (route.kind === "collection") {
    if (method === "POST") return create(request);
    throw unsupported(request, "POST, OPTIONS");
  }
  if (method === "PATCH") return appendBytes(request, route);
  if (method === "HEAD") return status(request, route);
  if (method === "DELETE") return remove(request, route);
  throw unsupported(request, "HEAD, PATCH, DELETE, OPTIONS");
}

function unsupported({ method, exchange }: StandardRequest, allowed: string): Error {
  const answer = tusError(uploadError("method_unsupported", { method, node: exchange.path }));
  return new TusRefusal({ ...answer, headers: { Allow: allowed } });
}

const plainText = { "Content-Type": "text/plain; charset=utf-8" } as const;

async function refuse(request: StandardRequest, error: unknown): Promise<void> {
  const { parts, exchange } = request;
  // Whoever asked has gone: there is nobody to answer.
  if (error === exchange.signal.reason) return;
  const { code, status: answered, detail, headers } = tusError(error);
  if (code === "internal") {
    parts.engine.log.error({ trace: exchange.traceId, err: error }, "request failed");
  }
  exchange.logFacts.error = code;
  await exchange.respond({
    status: answered,
    headers: { ...commonHeaders, ...seenHeaders(request), ...plainText, ...headers },
    body: `${detail}\n`,
  });
}
