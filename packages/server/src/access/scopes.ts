import { uploadError } from "../base/errors.ts";

/** What a token may do. `admin` is for the server's own administration, not for uploads. */
export type Scope = "create" | "append" | "read" | "publish" | "delete" | "admin";

export const allScopes: readonly Scope[] = Object.freeze([
  "create",
  "append",
  "read",
  "publish",
  "delete",
  "admin",
]);

/** What a token may do unless it was made for less, or for administration. */
export const uploadScopes: readonly Scope[] = Object.freeze(
  allScopes.filter((scope) => scope !== "admin"),
);

/** Who a request speaks for. */
export interface Principal {
  readonly appId: string;
  /** Decimal digits; "0" when the app speaks for itself. */
  readonly userId: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly tokenId: string;
}

export function isScope(text: string): text is Scope {
  return allScopes.some((scope) => scope === text);
}

export function requireScope(principal: Principal, scope: Scope): void {
  if (!principal.scopes.has(scope)) throw uploadError("scope_missing", { scope });
}
