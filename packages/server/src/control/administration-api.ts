import type { AppChanges, NewApp } from "../access/apps.ts";
import type { Scope } from "../access/scopes.ts";

export type { AppChanges, NewApp } from "../access/apps.ts";

export interface NewTokenRequest {
  readonly appId: string;
  readonly userId?: string | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  readonly label?: string | undefined;
  /** ISO 8601. */
  readonly expiresAt?: string | undefined;
}

/** What an operator can do. Everything given and returned can be written as JSON. */
export interface AdministrationApi {
  /** With its secret. */
  createApp(wanted: NewApp): Promise<object>;
  listApps(): Promise<readonly object[]>;
  /** With its secret; undefined when there is no such app. */
  showApp(id: string): Promise<object | undefined>;
  updateApp(id: string, changes: AppChanges): Promise<object | undefined>;
  /** The only time that the token is told. */
  createToken(wanted: NewTokenRequest): Promise<object>;
  listTokens(appId?: string): Promise<readonly object[]>;
  /** False when there is no such token that is not revoked yet. */
  revokeToken(idOrToken: string): Promise<boolean>;
  sweep(options: { readonly dryRun: boolean }): Promise<object>;
  verify(): Promise<object>;
}
