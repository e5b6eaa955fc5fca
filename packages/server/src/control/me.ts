import type { Hono } from "hono";
import type { Apps } from "../access/apps.ts";
import { uploadLengthMax } from "../access/apps.ts";
import { allScopes, type Principal } from "../access/scopes.ts";
import { uploadError } from "../base/errors.ts";
import { previewTypes } from "./previews.ts";
import { readToken, type ControlEnvironment } from "./request.ts";

export interface MeParts {
  readonly apps: Pick<Apps, "find">;
  /** The version that Graph's routes are shown with. */
  readonly graphVersion: string;
}

/** GET /api/v1/me: whom a token speaks for, and what it may do. Any valid token may ask. */
export function addMe(
  app: Hono<ControlEnvironment>,
  { apps, graphVersion }: MeParts,
  authenticate: (token: string) => Promise<Principal>,
): void {
  app.get("/api/v1/me", async (context) => {
    const principal = await authenticate(readToken(context));
    const found = await apps.find(principal.appId);
    if (found === undefined) throw uploadError("node_unknown", { node: "app of this token" });
    const { id, name, types, lifetimeMs, roomBytesMax = null } = found;
    return context.json({
      app: { id, name },
      userId: principal.userId,
      scopes: allScopes.filter((scope) => principal.scopes.has(scope)),
      limits: { lengthMax: uploadLengthMax(found), types, lifetimeMs, roomBytesMax },
      graphVersion,
      previewTypes,
    });
  });
}
