import type { Apps } from "../access/apps.ts";
import type { Tokens } from "../access/tokens.ts";
import type { App, Token } from "../catalog/records.ts";
import type {
  AdministrationApi,
  AppChanges,
  NewApp,
  NewTokenRequest,
} from "../control/administration-api.ts";

export type {
  AdministrationApi,
  AppChanges,
  NewApp,
  NewTokenRequest,
} from "../control/administration-api.ts";
export type { Scope } from "../access/scopes.ts";
export { allScopes, isScope } from "../access/scopes.ts";

export interface AdministrationParts {
  readonly apps: Apps;
  readonly tokens: Tokens;
  readonly sweep: (options: { readonly dryRun: boolean }) => Promise<object>;
  readonly verify: () => Promise<object>;
}

/** The operator's verbs, whether they come over HTTP or from a command on this machine. */
export class Administration implements AdministrationApi {
  readonly #parts: AdministrationParts;

  constructor(parts: AdministrationParts) {
    this.#parts = parts;
  }

  async createApp(wanted: NewApp): Promise<object> {
    const app = await this.#parts.apps.create(wanted);
    return { ...appJson(app), secret: app.secret };
  }

  async listApps(): Promise<readonly object[]> {
    return (await this.#parts.apps.list()).map(appJson);
  }

  async showApp(id: string): Promise<object | undefined> {
    const app = await this.#parts.apps.find(id);
    return app === undefined ? undefined : { ...appJson(app), secret: app.secret };
  }

  async updateApp(id: string, changes: AppChanges): Promise<object | undefined> {
    const app = await this.#parts.apps.update(id, changes);
    return app === undefined ? undefined : appJson(app);
  }

  async createToken({ expiresAt, ...wanted }: NewTokenRequest): Promise<object> {
    const { token, record } = await this.#parts.tokens.create({
      ...wanted,
      expiresAt: expiresAt === undefined ? undefined : Date.parse(expiresAt),
    });
    return { token, ...tokenJson(record) };
  }

  async listTokens(appId?: string): Promise<readonly object[]> {
    return (await this.#parts.tokens.list(appId)).map(tokenJson);
  }

  async revokeToken(idOrToken: string): Promise<boolean> {
    return await this.#parts.tokens.revoke(idOrToken);
  }

  async sweep(options: { readonly dryRun: boolean }): Promise<object> {
    return await this.#parts.sweep(options);
  }

  async verify(): Promise<object> {
    return await this.#parts.verify();
  }
}

/** Field by field, so that nothing secret is shown by accident. */
function appJson(app: App) {
  const { id, name, types, lengthMax, lifetimeMs, contentPolicy, digestPolicy, roomBytesMax } = app;
  const policies = { contentPolicy, digestPolicy, roomBytesMax };
  return {
    id,
    name,
    types,
    lengthMax,
    lifetimeMs,
    ...policies,
    createdAt: timeJson(app.createdAt),
  };
}

function tokenJson(token: Token) {
  const { id, appId, userId, scopes, label } = token;
  return {
    id,
    appId,
    userId,
    scopes,
    label,
    createdAt: timeJson(token.createdAt),
    expiresAt: timeJson(token.expiresAt),
    revokedAt: timeJson(token.revokedAt),
  };
}

function timeJson(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
