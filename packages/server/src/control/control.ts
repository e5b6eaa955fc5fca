import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { getRequestListener } from "@hono/node-server";
import type { Context } from "hono";
import { Hono } from "hono";
import { z } from "zod";
import { readCredentials } from "../access/credentials.ts";
import type { Principal } from "../access/scopes.ts";
import { allScopes, requireScope } from "../access/scopes.ts";
import { asError, systemErrorCode, UploadError, uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { silentLog } from "../base/log.ts";
import type { AdministrationApi } from "./administration-api.ts";
import { errorMessage, errorStatus } from "./error-answers.ts";

export interface ControlParts {
  readonly administration: AdministrationApi;
  readonly authenticate: (token: string) => Promise<Principal>;
  readonly ready: () => boolean;
  readonly log?: Log;
}

interface ControlEnvironment {
  // Absent when the app is called without a server, as tests do.
  Bindings: Partial<HttpBindings>;
}

type ControlContext = Context<ControlEnvironment>;

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
    const token = readToken(context.env.incoming, context.req.header("authorization"));
    requireScope(await parts.authenticate(token), "admin");
    await next();
    // Secrets are among the answers.
    context.header("Cache-Control", "no-store");
  });
  addApps(app, parts.administration);
  addTokens(app, parts.administration);
  addUpkeep(app, parts.administration);
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

function readToken(message: IncomingMessage | undefined, single: string | undefined): string {
  // A fetch Request has joined or dropped what came twice; Node's message has not.
  const authorization =
    message?.headersDistinct.authorization ?? (single === undefined ? [] : [single]);
  return readCredentials({ authorization, parameters: [], headerOnly: true });
}

async function readBody<Value>(context: ControlContext, schema: z.ZodType<Value>): Promise<Value> {
  const result = schema.safeParse(await readJson(context));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join(".") ?? "";
  throw uploadError("request_malformed", {
    detail: `${path === "" ? "The body" : path}: ${issue?.message ?? "is not valid"}.`,
  });
}

/** An empty body says the same as an empty object. */
async function readJson(context: ControlContext): Promise<unknown> {
  const text = await readText(context);
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    throw uploadError("request_malformed", { detail: "The body is not JSON." }, { cause: error });
  }
}

/**
 * From Node's own message: behind this listener Hono's limit fails on a chunked body, and a
 * Request's body on a host that is none.
 */
async function readText(context: ControlContext): Promise<string> {
  if (Number(context.req.header("content-length") ?? 0) > limits.formBytesMax) throw tooLong();
  const { incoming } = context.env;
  if (incoming === undefined) return await context.req.text();
  // Left open after a refusal, whose answer still has to go out.
  const body: AsyncIterable<Uint8Array> = incoming.iterator({ destroyOnReturn: false });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > limits.formBytesMax) throw tooLong();
      chunks.push(chunk);
    }
  } catch (error) {
    if (systemErrorCode(error) === "ECONNRESET") {
      throw uploadError("body_cut", { offset: 0 }, { cause: error });
    }
    throw error;
  }
  return Buffer.concat(chunks).toString();
}

function tooLong(): UploadError {
  return uploadError("request_malformed", { detail: "The body is too long." });
}

function unknownApp(id: string): never {
  throw uploadError("node_unknown", { node: `app ${id}` });
}
