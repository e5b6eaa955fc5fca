import type { Hono } from "hono";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { z } from "zod";
import { requireScope, type Principal } from "../access/scopes.ts";
import { uploadError } from "../base/errors.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Ring } from "../base/ring.ts";
import { cancel, expire } from "../engine/cancel.ts";
import { isUploadId } from "../engine/look-up.ts";
import type { EngineParts } from "../engine/parts.ts";
import { LiveListener } from "./live-listener.ts";
import { readCursor, type LiveQuery, type LiveView } from "./live-view.ts";
import type { RecentError } from "./recent-errors.ts";
import { readBody, readToken, type ControlContext, type ControlEnvironment } from "./request.ts";
import type { Sample } from "./throughput.ts";

export interface LiveParts {
  readonly engine: EngineParts;
  readonly view: LiveView;
  readonly samples: Ring<Sample>;
  readonly errors: Ring<RecentError>;
  /** Names this process to who watches several. */
  readonly node: string;
  /** Whether the server is stopping. */
  readonly closing: () => boolean;
  readonly log: Log;
}

type Authenticate = (token: string) => Promise<Principal>;

const nothing = z.strictObject({});

/** What an operator watches and does about open uploads; whoever mounts it checks the scope. */
export function addLive(
  app: Hono<ControlEnvironment>,
  live: LiveParts,
  authenticate: Authenticate,
): void {
  const listeners = new Set<LiveListener>();
  app.get("/admin/v1/live", (context) => {
    const query = readQuery(context);
    const { outgoing: response } = context.env;
    if (context.req.method !== "GET" || response === undefined) {
      throw uploadError("method_unsupported", { method: context.req.method, node: "live" });
    }
    if (listeners.size >= limits.liveListenersMax) {
      throw uploadError("upload_busy", { retryAfterSeconds: 5 });
    }
    const token = readToken(context);
    const listener = new LiveListener({
      ...live,
      response,
      query,
      authorise: async () => {
        requireScope(await authenticate(token), "admin");
      },
      watching: () => listeners.size,
    });
    listeners.add(listener);
    void listener.run().finally(() => listeners.delete(listener));
    return RESPONSE_ALREADY_SENT;
  });
  const acts = {
    cancel: { act: cancel, state: "cancelled" },
    expire: { act: expire, state: "expired" },
  };
  for (const [name, { act, state }] of Object.entries(acts)) {
    app.post(`/admin/v1/uploads/:id/${name}`, async (context) => {
      await readBody(context, nothing);
      const id = context.req.param("id");
      if (!isUploadId(id)) throw uploadError("node_unknown", { node: id });
      await act(live.engine, id);
      return context.json({ id, state });
    });
  }
}

function readQuery(context: ControlContext): LiveQuery {
  const appId = context.req.query("app");
  if (appId !== undefined && !/^\d{1,20}$/.test(appId)) {
    throw invalid("app", "is not an app id", "1 to 20 digits");
  }
  const limitText = context.req.query("limit") ?? String(limits.livePageSizeDefault);
  const limit = /^[1-9]\d{0,2}$/.test(limitText) ? Number(limitText) : Infinity;
  if (limit > limits.livePageSizeMax) {
    throw invalid("limit", "is not a number of rows", `1 to ${limits.livePageSizeMax}`);
  }
  const cursor = context.req.query("after");
  const after = cursor === undefined ? undefined : readCursor(cursor);
  if (cursor !== undefined && after === undefined) {
    throw invalid("after", "is not a cursor of this list", "next of the page before");
  }
  const stalled = context.req.query("stalled") ?? "false";
  if (stalled !== "true" && stalled !== "false") {
    throw invalid("stalled", "is neither", "true or false");
  }
  return { appId, after, limit, stalled: stalled === "true" };
}

function invalid(name: string, problem: string, valid: string): Error {
  return uploadError("parameter_invalid", { name, problem, valid });
}
