import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { uploadError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Token } from "../catalog/records.ts";
import { isAppId, type Apps } from "./apps.ts";
import { findCredentials, readCredentials, type CredentialSources } from "./credentials.ts";
import { isLoopback } from "./loopback.ts";
import { Recent } from "./recent.ts";
import type { Principal, Scope } from "./scopes.ts";
import { isScope, uploadScopes } from "./scopes.ts";

export interface NewToken {
  readonly appId: string;
  /** Decimal digits; "0" stands for the app itself. */
  readonly userId?: string | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  readonly label?: string | undefined;
  /** Epoch milliseconds. */
  readonly expiresAt?: number | undefined;
  /** The token itself, when it was configured rather than to be made here. */
  readonly value?: string | undefined;
}

export interface RequestCredentials extends CredentialSources {
  /** The Origin header: whose web page sends the request, if one does. */
  readonly origin: string | undefined;
  /** The Host header. */
  readonly host: string | undefined;
}

interface TokensParts {
  readonly catalog: Catalog;
  readonly apps: Apps;
  readonly clock: Clock;
  readonly random: Random;
}

/** Makes a leaked token recognisable to people and to secret scanners. */
const tokenPrefix = "hws_";
const tokenBytes = 32;
const appUserId = "0";

/** Access tokens. Only their hashes are kept, so a stolen catalog opens nothing. */
export class Tokens {
  readonly #catalog: Catalog;
  readonly #apps: Apps;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #recent: Recent<Token>;
  #open: Principal | undefined;

  constructor({ catalog, apps, clock, random }: TokensParts) {
    this.#catalog = catalog;
    this.#apps = apps;
    this.#clock = clock;
    this.#random = random;
    this.#recent = new Recent(clock);
  }

  /** The only time that the token is told. The same configured value again changes nothing. */
  async create(wanted: NewToken): Promise<{ token: string; record: Token }> {
    checkNewToken(wanted);
    if (!isAppId(wanted.appId) || (await this.#catalog.findApp(wanted.appId)) === undefined) {
      throw invalid("appId", "is not an app of this server", "the id of an existing app");
    }
    const token = wanted.value ?? this.#generate();
    const hash = hashOf(token);
    const existing = await this.#catalog.findToken(hash);
    if (existing !== undefined) {
      if (existing.appId === wanted.appId) return { token, record: existing };
      throw invalid("value", "is another app's token", "a token that is not in use");
    }
    const record: Token = {
      id: this.#random.uuid(),
      hash,
      appId: wanted.appId,
      userId: wanted.userId ?? appUserId,
      scopes: wanted.scopes ?? uploadScopes,
      label: wanted.label ?? "",
      createdAt: this.#clock.now(),
      expiresAt: wanted.expiresAt,
      revokedAt: undefined,
    };
    await this.#catalog.insertToken(record);
    return { token, record };
  }

  /** Whom the token speaks for, now: revocation and expiry show at the next call. */
  async authenticate(token: string): Promise<Principal> {
    if (token.includes("|")) return await this.#authenticateApp(token);
    // Found by its hash: how long the look-up takes tells nothing about any stored token.
    const record = await this.#find(hashOf(token));
    if (record === undefined) throw unknown();
    if (record.revokedAt !== undefined) {
      throw uploadError("token_invalid", { problem: "The access token was revoked." });
    }
    if (record.expiresAt !== undefined && record.expiresAt <= this.#clock.now()) {
      throw uploadError("token_expired", { expiredAt: record.expiresAt });
    }
    return {
      appId: record.appId,
      userId: record.userId,
      scopes: new Set(record.scopes.filter(isScope)),
      tokenId: record.id,
    };
  }

  /** From here on requests without a token speak for this app, unless a foreign page sends them. */
  openTo(appId: string): void {
    const scopes = new Set(uploadScopes);
    this.#open = { appId, userId: appUserId, scopes, tokenId: "open" };
  }

  /** Whom a request speaks for. */
  async identify(request: RequestCredentials): Promise<Principal> {
    const open = isOwnPage(request) ? this.#open : undefined;
    if (open !== undefined && findCredentials(request) === undefined) return open;
    return await this.authenticate(readCredentials(request));
  }

  async list(appId?: string): Promise<Token[]> {
    if (appId !== undefined && !isAppId(appId)) return [];
    return await this.#catalog.listTokens(appId);
  }

  /** False when there is no such token that is not revoked yet. */
  async revoke(idOrToken: string): Promise<boolean> {
    const record = await this.#catalog.findToken(hashOf(idOrToken));
    const id = record?.id ?? idOrToken;
    // No id holds a NUL, and Postgres fails at a text that does.
    const revoked = !id.includes("\0") && (await this.#catalog.revokeToken(id, this.#clock.now()));
    this.#recent.clear();
    return revoked;
  }

  async #find(hash: Buffer): Promise<Token | undefined> {
    const key = hash.toString("latin1");
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    const record = await this.#catalog.findToken(hash);
    if (record !== undefined) this.#recent.set(key, record);
    return record;
  }

  async #authenticateApp(token: string): Promise<Principal> {
    const bar = token.indexOf("|");
    const appId = token.slice(0, bar);
    const app = isAppId(appId) ? await this.#apps.find(appId) : undefined;
    // Hashes have one length, which timingSafeEqual needs and which hides the secret's own.
    const given = hashOf(token.slice(bar + 1));
    if (app === undefined || !timingSafeEqual(given, hashOf(app.secret))) throw unknown();
    return { appId, userId: appUserId, scopes: new Set(uploadScopes), tokenId: `app-${appId}` };
  }

  #generate(): string {
    return `${tokenPrefix}${this.#random.bytes(tokenBytes).toString("base64url")}`;
  }
}

/**
 * Any page in a browser on this machine can reach it: only pages from here may do so unasked, and
 * none that reach it under a name of their own, which they let point here.
 */
function isOwnPage({ origin, host = "" }: RequestCredentials): boolean {
  return [origin, `http://${host}`].every(
    (url) => url === undefined || (URL.canParse(url) && isLoopback(new URL(url).hostname)),
  );
}

function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function checkNewToken({ userId, scopes, label, expiresAt, value }: NewToken): void {
  if (userId !== undefined && !/^[0-9]{1,20}$/.test(userId)) {
    throw invalid("userId", "is not a user id", "1 to 20 digits");
  }
  if (scopes?.length === 0) throw invalid("scopes", "is empty", "at least one scope");
  if (label !== undefined && !/^[^\p{Cc}\p{Cf}]{0,255}$/u.test(label)) {
    throw invalid("label", "is not a label", "up to 255 printable characters");
  }
  if (expiresAt !== undefined && !Number.isSafeInteger(expiresAt)) {
    throw invalid("expiresAt", "is not a time", "whole milliseconds since 1970");
  }
  if (value !== undefined && !/^[\x21-\x7b\x7d\x7e]{1,255}$/.test(value)) {
    throw invalid("value", "is not a token", "1 to 255 visible ASCII characters without |");
  }
}

function unknown() {
  return uploadError("token_invalid", { problem: "The access token is not known here." });
}

function invalid(name: string, problem: string, valid: string) {
  return uploadError("parameter_invalid", { name, problem, valid });
}
