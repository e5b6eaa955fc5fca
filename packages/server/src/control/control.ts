import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { z } from "zod";
import type { Principal } from "../access/scopes.ts";
import { allScopes, requireScope } from "../access/scopes.ts";
import { asError, UploadError, uploadError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { silentLog } from "../base/log.ts";
import type { AdministrationApi } from "./administration-api.ts";
import { errorMessage, errorStatus } from "./error-answers.ts";
import { addLive, type LiveParts } from "./live.ts";
import { addMe, type MeParts } from "./me.ts";
import { addPage } from "./page.ts";
import { addPreviews, type PreviewParts } from "./previews.ts";
import { readBody, readToken, type ControlEnvironment } from "./request.ts";

export interface ControlParts {
  readonly administration: AdministrationApi;
  readonly authenticate: (token: string) => Promise<Principal>;
  readonly ready: () => boolean;
  /** Where the built page lies, or would. */
  readonly pageDirectory: string;
  readonly live: LiveParts;
  readonly me: MeParts;
  readonly previews: PreviewParts;
  readonly log?: Log;
}

const wholeNumber = z.int().min(1);
const appChanges = z.strictObject({
  name: z.string().optional(),
  secret: z.string().optional(),
  types: z.array(z.string()).optional(),
  lengthMax: wholeNumber.optional(),
  lifetimeMs: wholeNumber.optional(),
  contentPolicy: z.enum(["off", "warn", "reject"]).optional(),
  digestPolicy: z.enum(["on_request", "on_publish"]).optional(),
  roomBytesMax: wholeNumber.nullable().optional(),
});
const newApp = appChanges.extend({ id: z.string().optional() });
const newToken = z.strictObject({
  appId: z.string(),
  userId: z.string().optional(),
  scopes: z.array(z.enum(allScopes)).optional(),
  label: z.string().optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});
const revocation = z.strictObject({ token: z.string().min(1) });
const sweeping = z.strictObject({ dryRun: z.boolean().default(false) });
const nothing = z.strictObject({});

/** Health for the machines around the server, administration for its operators. */
export function controlApp(parts: ControlParts): Hono<ControlEnvironment> {
  const { ready, log = silentLog } = parts;
  const app = new Hono<ControlEnvironment>();
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", (context) =>
    ready() ? context.json({ status: "ready" }) : context.json({ status: "not ready" }, 503),
  );
  app.use("/admin/*", async (context, next) => {
    requireScope(await parts.authenticate(readToken(context)), "admin");
    await next();
    // Secrets are among the answers.
    context.header("Cache-Control", "no-store");
  });
  addApps(app, parts.administration);
  addTokens(app, parts.administration);
  addUpkeep(app, parts.administration);
  app.use("/api/*", async (context, next) => {
    await next();
    context.header("Cache-Control", "no-store");
  });
  addMe(app, parts.me, parts.authenticate);
  addPreviews(app, parts.previews, parts.authenticate);
  addLive(app, parts.live, parts.authenticate);
  addPage(app, parts.pageDirectory);
  app.notFound((context) => {
    return context.json({ error: { message: "There is nothing here.", code: "not_found" } }, 404);
  });
  app.onError((error, context) => {
    const failure =
      error instanceof UploadError
        ? error
        : uploadError("internal", { detail: asError(error).message }, { cause: error });
    if (failure.code === "internal") log.error({ err: error }, "administration failed");
    const { detail, code } = failure;
    if (detail.code === "upload_busy") {
      context.header("Retry-After", String(detail.facts.retryAfterSeconds));
    }
    return context.json({ error: { message: errorMessage(detail), code } }, errorStatus[code]);
  });
  return app;
}

/** Serves the app from a plain Node server, whose globals stay as they are. */
export function controlListener(
  app: Hono<ControlEnvironment>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  // What is no address: an empty answer would leave its sender guessing.
  const errorHandler = (): Response =>
    Response.json(
      {
        error: { message: "The request's target or host is not valid.", code: "request_malformed" },
      },
      { status: 400 },
    );
  // A health check of HTTP/1.0 names no host.
  return getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    hostname: "localhost",
    errorHandler,
  });
}

function addApps(app: Hono<ControlEnvironment>, administration: AdministrationApi): void {
  app.post("/admin/v1/apps", async (context) =>
    context.json(await administration.createApp(await readBody(context, newApp)), 201),
  );
  app.get("/admin/v1/apps", async (context) =>
    context.json({ data: await administration.listApps() }),
  );
  app.get("/admin/v1/apps/:id", async (context) => {
    const id = context.req.param("id");
    return context.json((await administration.showApp(id)) ?? unknownApp(id));
  });
  app.patch("/admin/v1/apps/:id", async (context) => {
    const id = context.req.param("id");
    const changes = await readBody(context, appChanges);
    return context.json((await administration.updateApp(id, changes)) ?? unknownApp(id));
  });
}

function addTokens(app: Hono<ControlEnvironment>, administration: AdministrationApi): void {
  app.post("/admin/v1/tokens", async (context) =>
    context.json(await administration.createToken(await readBody(context, newToken)), 201),
  );
  app.get("/admin/v1/tokens", async (context) =>
    context.json({ data: await administration.listTokens(context.req.query("app")) }),
  );
  app.post("/admin/v1/tokens/revoke", async (context) => {
    const { token } = await readBody(context, revocation);
    return context.json({ revoked: await administration.revokeToken(token) });
  });
}

function addUpkeep(app: Hono<ControlEnvironment>, administration: AdministrationApi): void {
  app.post("/admin/v1/sweep", async (context) =>
    context.json(await administration.sweep(await readBody(context, sweeping))),
  );
  app.post("/admin/v1/verify", async (context) => {
    await readBody(context, nothing);
    return context.json(await administration.verify());
  });
}

function unknownApp(id: string): never {
  throw uploadError("node_unknown", { node: `app ${id}` });
}
