import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Hono } from "hono";
import { systemErrorCode } from "../base/errors.ts";
import type { ControlContext, ControlEnvironment } from "./request.ts";

/** What a build of the page consists of; source maps and anything else stay here. */
const mediaTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

/** The page is made of its own files alone: nothing inline, nobody else's, in nobody's frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const notBuilt = `Hawser is running. Its page is not built.

In a clone of the repository:  npm run build
Uploads and administration work without it.
`;

/** `/` and the files that it names, from the directory of a build of packages/web. */
export function addPage(app: Hono<ControlEnvironment>, directory: string): void {
  app.use("/", protectPage);
  app.use("/assets/*", protectPage);
  app.get("/", async (context) => {
    const bytes = await readIfThere(join(directory, "index.html"));
    if (bytes === undefined) return context.text(notBuilt, 200, { "Cache-Control": "no-store" });
    const etag = `"${createHash("sha256").update(bytes).digest("base64url")}"`;
    const headers = { "Cache-Control": "no-cache", ETag: etag };
    const known = context.req.header("if-none-match")?.split(",") ?? [];
    if (known.some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
      return context.body(null, 304, headers);
    }
    return fileAnswer(context, bytes, { ...headers, "Content-Type": mediaTypes[".html"] ?? "" });
  });
  app.get("/assets/:name", async (context) => {
    const name = context.req.param("name");
    const type = mediaTypes[extname(name)];
    // Nothing that could lead out of the directory is even looked for.
    const isName = /^\w[\w.-]{0,254}$/.test(name);
    const bytes =
      type === undefined || !isName
        ? undefined
        : await readIfThere(join(directory, "assets", name));
    if (type === undefined || bytes === undefined) return await context.notFound();
    // A name holds its content's hash: what it stands for never changes.
    const headers = { "Cache-Control": "public, max-age=31536000, immutable" };
    return fileAnswer(context, bytes, { ...headers, "Content-Type": type });
  });
}

async function protectPage(context: ControlContext, next: () => Promise<void>): Promise<void> {
  await next();
  context.header("Content-Security-Policy", contentSecurityPolicy);
  context.header("X-Content-Type-Options", "nosniff");
  context.header("Referrer-Policy", "no-referrer");
  context.header("Cross-Origin-Opener-Policy", "same-origin");
}

function fileAnswer(
  context: ControlContext,
  bytes: Buffer<ArrayBuffer>,
  headers: Readonly<Record<string, string>>,
): Response {
  return context.body(bytes, 200, { ...headers, "Content-Length": String(bytes.length) });
}

/** Read anew each time: a build that is made while the server runs is seen, and it is small. */
async function readIfThere(path: string): Promise<Buffer<ArrayBuffer> | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
