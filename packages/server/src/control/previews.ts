import type { Hono } from "hono";
import { z } from "zod";
import { previewPath, type PreviewLinks, type PreviewTarget } from "../access/preview-links.ts";
import { requireScope, type Principal } from "../access/scopes.ts";
import { formatCrc32 } from "../base/crc32.ts";
import { asError, UploadError, uploadError } from "../base/errors.ts";
import type { EngineParts } from "../engine/parts.ts";
import { findPreviewable } from "../engine/preview.ts";
import { readBlob } from "../engine/read.ts";
import { answerContent, fileHeaders } from "../http/content.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Protocol } from "../http/server.ts";
import { errorMessage, errorStatus } from "./error-answers.ts";
import { readBody, readToken, type ControlEnvironment } from "./request.ts";

export interface PreviewParts {
  readonly engine: EngineParts;
  readonly links: PreviewLinks;
  /** The upload that an id of the Graph protocol names. */
  readonly uploadOfGraphId: (id: string) => string;
}

type Disposition = "inline" | "attachment";

/** What a browser shows without running anything of it; a PDF runs scripts, so it is saved. */
const dispositions: ReadonlyMap<string, Disposition> = new Map<string, Disposition>([
  ["application/pdf", "attachment"],
  ["image/gif", "inline"],
  ["image/jpeg", "inline"],
  ["image/jpg", "inline"],
  ["image/png", "inline"],
  ["image/webp", "inline"],
  ["video/mp4", "inline"],
]);

export const previewTypes: readonly string[] = Object.freeze([...dispositions.keys()]);

const wanted = z.union(
  [z.strictObject({ upload: z.string().max(8192) }), z.strictObject({ file: z.string().max(64) })],
  "expected either an upload or a file",
);

/** POST /api/v1/previews: a link that shows one file for some minutes. */
export function addPreviews(
  app: Hono<ControlEnvironment>,
  previews: PreviewParts,
  authenticate: (token: string) => Promise<Principal>,
): void {
  app.post("/api/v1/previews", async (context) => {
    const principal = await authenticate(readToken(context));
    const isAdmin = principal.scopes.has("admin");
    if (!isAdmin) requireScope(principal, "read");
    const target = targetOf(previews, await readBody(context, wanted));
    const found = await findPreviewable(previews.engine, {
      ...target,
      mayKnow: (appId) => isAdmin || appId === principal.appId,
    });
    if (!dispositions.has(found.type)) {
      const problem = `is of the type ${found.type}, which is not shown`;
      const valid = previewTypes.join(", ");
      throw uploadError("parameter_invalid", { name: target.kind, problem, valid });
    }
    const { path, expiresAt } = previews.links.make(target);
    const { type, name, size: length } = found;
    return context.json({
      url: path,
      type,
      name,
      length,
      expiresAt: new Date(expiresAt).toISOString(),
    });
  });
}

function targetOf(previews: PreviewParts, body: z.infer<typeof wanted>): PreviewTarget {
  if ("file" in body) return { kind: "file", id: body.file };
  const { upload } = body;
  const id = upload.startsWith("upload:") ? previews.uploadOfGraphId(upload) : upload;
  return { kind: "upload", id };
}

/** GET and HEAD of such a link. */
export class PreviewProtocol implements Protocol {
  readonly name = "previews";
  readonly #parts: PreviewParts;

  constructor(parts: PreviewParts) {
    this.#parts = parts;
  }

  matches(exchange: Exchange): boolean {
    return exchange.path.startsWith(previewPath);
  }

  async handle(exchange: Exchange): Promise<void> {
    try {
      await this.#show(exchange);
    } catch (thrown) {
      if (exchange.answered) throw asError(thrown);
      await this.#refuse(exchange, thrown);
    }
  }

  async #show(exchange: Exchange): Promise<void> {
    const { method, path, query } = exchange;
    if (exchange.lacksHost) {
      throw uploadError("request_malformed", { detail: "The header host is missing." });
    }
    if (method !== "GET" && method !== "HEAD") {
      throw uploadError("method_unsupported", { method, node: "A preview" });
    }
    const { engine, links } = this.#parts;
    const target = links.read(path.slice(previewPath.length), query.get("sig") ?? "");
    exchange.logFacts[target.kind] = target.id;
    const found = await findPreviewable(engine, { ...target, mayKnow: () => true });
    exchange.logFacts.app = found.appId;
    const disposition = dispositions.get(found.type) ?? "attachment";
    await answerContent(exchange, {
      headers: { ...fileHeaders(found.name, disposition), "Content-Type": found.type },
      etag: `"${target.id}-${formatCrc32(found.crc32)}"`,
      size: found.size,
      read: (range) => readBlob(engine, found.blobId, range),
    });
  }

  async #refuse(exchange: Exchange, thrown: unknown): Promise<void> {
    const error =
      thrown instanceof UploadError ? thrown : uploadError("internal", { detail: String(thrown) });
    const { detail, code } = error;
    if (code === "internal") {
      this.#parts.engine.log.error({ trace: exchange.traceId, err: thrown }, "a preview failed");
    }
    exchange.logFacts.error = code;
    const message =
      detail.code === "token_expired"
        ? `The link expired at ${new Date(detail.facts.expiredAt).toISOString()}.`
        : errorMessage(detail);
    await exchange.respond({
      status: errorStatus[code],
      headers: {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
      },
      body: JSON.stringify({ error: { message, code } }),
    });
  }
}
