import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { updatedApp } from "../../../../test/support/memory-rows.ts";
import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { App, Token } from "../catalog/records.ts";
import { Apps } from "./apps.ts";
import { Keyring } from "./keyring.ts";
import { Tokens } from "./tokens.ts";

/** Postgres takes no text with a NUL. */
function refuseNul(text: string): void {
  if (text.includes("\0")) throw new Error("invalid text");
}

/** The few verbs that access uses, over maps. */
function memoryCatalog(): Catalog {
  const apps = new Map<string, App>();
  const tokens = new Map<string, Token>();
  const verbs: Partial<Catalog> = {
    insertApp: (app) => {
      const isNew = !apps.has(app.id);
      if (isNew) apps.set(app.id, app);
      return Promise.resolve(isNew);
    },
    updateApp: (id, update) => {
      refuseNul(id);
      const app = apps.get(id);
      if (app !== undefined) apps.set(id, updatedApp(app, update));
      return Promise.resolve(app !== undefined);
    },
    findApp: (id) => {
      refuseNul(id);
      return Promise.resolve(apps.get(id));
    },
    listApps: () => Promise.resolve([...apps.values()]),
    insertToken: (token) => {
      tokens.set(token.id, token);
      return Promise.resolve();
    },
    findToken: (hash) =>
      Promise.resolve([...tokens.values()].find((token) => Buffer.compare(token.hash, hash) === 0)),
    listTokens: (appId) => {
      refuseNul(appId ?? "");
      const all = [...tokens.values()];
      return Promise.resolve(all.filter((token) => (appId ?? token.appId) === token.appId));
    },
    revokeToken: (id, at) => {
      refuseNul(id);
      const token = tokens.get(id);
      if (token === undefined || token.revokedAt !== undefined) return Promise.resolve(false);
      tokens.set(id, { ...token, revokedAt: at });
      return Promise.resolve(true);
    },
  };
  // Access calls no other verb; one that is missing fails the test at once.
  return verbs as Catalog;
}

const appId = "1234567890123456";
const secret = "test-app-secret";
let now = 1_000_000;
let monotonic = 0;
const clock: Clock = { ...systemClock, now: () => now, monotonic: () => monotonic };

let directory: string;
let apps: Apps;
let tokens: Tokens;
let catalog: Catalog;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-tokens-"));
  const keyring = await Keyring.open(join(directory, "key"), undefined);
  catalog = memoryCatalog();
  apps = new Apps({ catalog, keyring, clock, random: systemRandom });
  tokens = new Tokens({ catalog, apps, clock, random: systemRandom });
  await apps.create({ id: appId, secret });
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("Tokens", () => {
  it("makes a token that speaks for its app and user, until it is revoked", async () => {
    const { token, record } = await tokens.create({ appId, userId: "42", scopes: ["read"] });
    expect(token).toMatch(/^hws_[\w-]{43}$/);
    expect(JSON.stringify(await tokens.list(appId))).not.toContain(token);
    const principal = { appId, userId: "42", scopes: new Set(["read"]), tokenId: record.id };
    expect(await tokens.authenticate(token)).toEqual(principal);
    expect(await tokens.revoke(token)).toBe(true);
    expect(await tokens.revoke(record.id)).toBe(false);
    await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: "token_invalid" });
  });

  it("notices within a second what another process has changed", async () => {
    const { token, record } = await tokens.create({ appId });
    await tokens.authenticate(token);
    await catalog.revokeToken(record.id, now);
    expect(await catalog.updateApp(appId, { lengthMax: 7 })).toBe(true);
    monotonic += 1_000;
    await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: "token_invalid" });
    expect(await apps.find(appId)).toMatchObject({ lengthMax: 7 });
  });

  it("ends at its expiry", async () => {
    const { token } = await tokens.create({ appId, expiresAt: now + 1 });
    expect((await tokens.authenticate(token)).scopes.has("admin")).toBe(false);
    now += 1;
    await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: "token_expired" });
  });

  it("takes a configured value once", async () => {
    const first = await tokens.create({ appId, value: "configured" });
    const second = await tokens.create({ appId, value: "configured" });
    expect(second).toEqual(first);
    expect(await tokens.list()).toHaveLength(1);
  });

  it("lets the app speak for itself with its secret", async () => {
    const principal = await tokens.authenticate(`${appId}|${secret}`);
    expect(principal).toMatchObject({ appId, userId: "0" });
    expect(principal.scopes.has("publish")).toBe(true);
    expect(principal.scopes.has("admin")).toBe(false);
    await apps.update(appId, { secret: "another" });
    await expect(tokens.authenticate(`${appId}|${secret}`)).rejects.toThrow();
  });

  it.for(["nobody", "", "|", `${appId}|`, `${appId}|wrong`, `1|${secret}`, `x|${secret}`, "a|b"])(
    "does not know %j",
    async (token) => {
      await expect(tokens.authenticate(token)).rejects.toMatchObject({ code: "token_invalid" });
    },
  );

  it("is for apps that exist, with plausible facts", async () => {
    for (const wanted of [
      { appId: "9" },
      { appId: "\0" },
      { appId, userId: "me" },
      { appId, scopes: [] },
      { appId, value: "a|b" },
    ]) {
      await expect(tokens.create(wanted)).rejects.toMatchObject({ code: "parameter_invalid" });
    }
  });
});

it("what no id can be names no app and no token", async () => {
  for (const id of ["\0", `${appId}\0`, "x"]) {
    expect(await apps.find(id)).toBeUndefined();
    expect(await apps.update(id, { name: "n" })).toBeUndefined();
    expect(await tokens.list(id)).toEqual([]);
    expect(await tokens.revoke(id)).toBe(false);
  }
});

describe("open access", () => {
  const asks = (words: { origin?: string; host?: string; authorization?: string[] }) =>
    tokens.identify({
      ...{ authorization: words.authorization ?? [], parameters: [], headerOnly: true },
      ...{ origin: words.origin, host: words.host ?? "127.0.0.1:8080" },
    });

  it("gives requests without a token the one app, and nobody else's page", async () => {
    await expect(asks({})).rejects.toMatchObject({ code: "token_missing" });
    tokens.openTo(appId);
    for (const request of [{}, { host: "localhost" }, { origin: "http://[::1]:5173" }]) {
      expect(await asks(request)).toMatchObject({ appId });
    }
    for (const request of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { host: "evil.example:8080" },
    ]) {
      await expect(asks(request)).rejects.toMatchObject({ code: "token_missing" });
    }
  });

  it("still judges a token that is given", async () => {
    tokens.openTo(appId);
    const wrong = asks({ authorization: ["Bearer nobody"] });
    await expect(wrong).rejects.toMatchObject({ code: "token_invalid" });
  });
});

describe("Apps", () => {
  it("finds what it made, with its secret sealed at rest", async () => {
    const app = await apps.create({});
    expect(app.id).toMatch(/^[0-9]{15,16}$/);
    expect(app.secret).toMatch(/^[0-9a-f]{32}$/);
    expect(Buffer.from(app.sealedSecret).includes(app.secret)).toBe(false);
    expect(await apps.find(app.id)).toEqual(app);
    expect(await apps.find("9")).toBeUndefined();
    expect(await apps.update("9", { name: "n" })).toBeUndefined();
  });

  it("keeps each of two changes that come at once, and what neither of them says", async () => {
    const { id, name } = await apps.create({ roomBytesMax: 9 });
    await Promise.all([
      apps.update(id, { secret: "another" }),
      apps.update(id, { lengthMax: 7 }),
      apps.update(id, { roomBytesMax: null }),
      apps.update(id, {}),
    ]);
    const kept = { name, secret: "another", lengthMax: 7, roomBytesMax: undefined };
    expect(await apps.find(id)).toMatchObject(kept);
  });

  it("refuses a taken id and what no request could name", async () => {
    for (const wanted of [{ id: appId }, { id: "x" }, { secret: "a|b" }, { types: ["png"] }]) {
      await expect(apps.create(wanted)).rejects.toMatchObject({ code: "parameter_invalid" });
    }
  });
});
