import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type GraphAnswer, GraphApi } from "../conformance/graph/graph-api.ts";
import { adminTokenOf } from "../fault/hostile-setting.ts";
import { everyUploadScope } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { headerValue, rawRequest } from "../support/raw-http.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const otherAppId = "777000000002";
let server: ServerProcess;
let api: GraphApi;
let administration: GraphApi;
let theirs: GraphApi;

async function mint(more: object): Promise<GraphApi> {
  const made = await administration.postJson("/admin/v1/tokens", { appId: api.appId, ...more });
  return api.as({ token: made.text("token") });
}

beforeAll(async () => {
  server = await ServerProcess.start();
  const { address: url, appId, token } = server;
  api = new GraphApi({ url, appId, token });
  administration = api.as({ token: await adminTokenOf(server) });
  const types = ["image/png", "text/html", "application/pdf"];
  await administration.postJson("/admin/v1/apps", { id: otherAppId, name: "theirs", types });
  const made = await administration.postJson("/admin/v1/tokens", { appId: otherAppId });
  theirs = api.as({ appId: otherAppId, token: made.text("token") });
});

afterAll(() => server.remove());

describe("who a token is", () => {
  it("is told to whoever has it: its app, its scopes, and what uploads may be", async () => {
    const { appId } = api;
    const mine = await (await mint({ userId: "55", scopes: ["read", "create"] })).get("/api/v1/me");
    expect(mine.status, mine.body.toString()).toBe(200);
    expect(mine.headers["cache-control"]).toBe("no-store");
    expect(mine.json).toMatchObject({
      app: { id: appId },
      userId: "55",
      scopes: ["create", "read"],
      graphVersion: "v21.0",
    });
    expect(mine.json.previewTypes).toContain("video/mp4");
    expect((await administration.get("/api/v1/me")).json.scopes).toContain("admin");
    expect((await api.get("/api/v1/me")).json.scopes).toEqual(everyUploadScope);
    const changes = { lengthMax: 5_000, lifetimeMs: 7_000, roomBytesMax: 4_000 };
    const wanted = { id: "88", name: "eighty-eight", types: ["image/png"], ...changes };
    expect((await administration.postJson("/admin/v1/apps", wanted)).status).toBe(201);
    const other = await (await mint({ appId: "88" })).get("/api/v1/me");
    expect(other.json).toMatchObject({
      app: { id: "88", name: "eighty-eight" },
      limits: { lengthMax: 4_000, lifetimeMs: 7_000, roomBytesMax: 4_000, types: ["image/png"] },
    });
    expect(other.body.toString()).not.toContain("secret");
  });

  it("is not told without a valid token in the header", async () => {
    const path = "/api/v1/me";
    const inQuery = { method: "GET", path: `${path}?access_token=${api.token}` };
    for (const [answer, code] of [
      [await api.request({ method: "GET", path }), "token_missing"],
      [await api.request(inQuery), "token_missing"],
      [await api.as({ token: "nobody-knows-it" }).get(path), "token_invalid"],
    ] as const) {
      expect(answer.status).toBe(401);
      expect(answer.record("error").code).toBe(code);
    }
  });
});

function ask(who: GraphApi, body: unknown): Promise<GraphAnswer> {
  return who.postJson("/api/v1/previews", body);
}

function use(url: string, headers: readonly (readonly [string, string])[] = [], method = "GET") {
  return rawRequest({ host: "127.0.0.1", port: server.port }, { method, path: url, headers });
}

/** A complete upload and the file that it is published as. */
async function published(bytes: Buffer, type: string): Promise<{ upload: string; file: string }> {
  const fields = { file_type: type, file_name: 'a "name" — é.png' };
  const upload = await theirs.start({ ...fields, file_length: bytes.length });
  const done = await theirs.append({ id: upload, offset: 0, bytes });
  return { upload, file: await theirs.publish(done.text("h")) };
}

const png = Buffer.concat([
  Buffer.from("89504e470d0a1a0a", "hex"),
  patternBytes({ seed: 5, length: 90_000 }),
]);

describe("a preview", () => {
  it("shows a complete upload and a file without a token, whole and in parts", async () => {
    const { upload, file } = await published(png, "image/png");
    const uuid = (await theirs.status(upload, "url")).text("url").split("/").at(-1) ?? "";
    for (const wanted of [{ upload }, { upload: uuid }, { file }]) {
      const made = await ask(theirs, wanted);
      expect(made.status, made.body.toString()).toBe(200);
      expect(made.json).toMatchObject({ type: "image/png", length: png.length });
      const left = Date.parse(made.text("expiresAt")) - Date.now();
      expect(left).toBeGreaterThan(60_000);
      const url = made.text("url");
      const whole = await use(url);
      expect(whole.status, whole.body.toString()).toBe(200);
      expect(whole.body.equals(png)).toBe(true);
      expect(headerValue(whole, "content-type")).toBe("image/png");
      expect(headerValue(whole, "content-disposition")).toMatch(/^inline; filename="a _name_/);
      expect(headerValue(whole, "x-content-type-options")).toBe("nosniff");
      expect(headerValue(whole, "content-security-policy")).toBe("default-src 'none'; sandbox");
      const part = await use(url, [["Range", "bytes=10-19"]]);
      expect(part.status).toBe(206);
      expect(part.body.equals(png.subarray(10, 20))).toBe(true);
      expect(headerValue(part, "content-range")).toBe(`bytes 10-19/${png.length}`);
      expect((await use(url, [["Range", `bytes=${png.length}-`]])).status).toBe(416);
      const etag = headerValue(whole, "etag") ?? "";
      expect((await use(url, [["If-None-Match", etag]])).status).toBe(304);
      const head = await use(url, [["Range", "bytes=10-19"]], "HEAD");
      expect([head.status, head.body.length]).toEqual([200, 0]);
      expect(headerValue(head, "content-length")).toBe(String(png.length));
    }
  });

  it("saves a document instead of showing it, and shows no page of anybody's", async () => {
    const { file } = await published(Buffer.from("%PDF-1.4 x"), "application/pdf");
    const answer = await use((await ask(theirs, { file })).text("url"));
    expect(headerValue(answer, "content-disposition")).toMatch(/^attachment; /);
    const html = await published(Buffer.from("<script>1</script>"), "text/html");
    for (const wanted of [{ file: html.file }, { upload: html.upload }]) {
      const refused = await ask(theirs, wanted);
      expect(refused.status).toBe(400);
      expect(refused.record("error").code).toBe("parameter_invalid");
      expect(refused.record("error").message).toContain("text/html");
    }
  });

  it("is made for one's own app, and for administration of any", async () => {
    const { upload, file } = await published(png, "image/png");
    expect((await ask(administration, { file })).status).toBe(200);
    expect((await ask(administration, { upload })).status).toBe(200);
    for (const wanted of [{ file }, { upload }]) {
      const foreign = await ask(api, wanted);
      expect(foreign.status).toBe(404);
      expect(foreign.record("error").code).toBe("node_unknown");
      const scopes = everyUploadScope.filter((scope) => scope !== "read");
      const blind = await ask(await mint({ appId: otherAppId, scopes }), wanted);
      expect(blind.status).toBe(403);
      expect(blind.record("error").code).toBe("scope_missing");
      expect((await ask(api.as({ token: "nobody-knows-it" }), wanted)).status).toBe(401);
    }
  });

  it("is not made of what is not complete, not there, or not named right", async () => {
    const open = await theirs.start({ file_type: "image/png" });
    const [altered = ""] = open.split("?sig=");
    for (const [wanted, status, code] of [
      [{ upload: open }, 400, "parameter_invalid"],
      [{ upload: altered }, 400, "signature_invalid"],
      [{ upload: `${altered}?sig=AR` }, 400, "signature_invalid"],
      [{ upload: crypto.randomUUID() }, 404, "node_unknown"],
      [{ file: "1" }, 404, "node_unknown"],
      [{ file: "1", upload: open }, 400, "request_malformed"],
      [{}, 400, "request_malformed"],
      [{ file: 1 }, 400, "request_malformed"],
    ] as const) {
      const answer = await ask(theirs, wanted);
      expect(answer.status, JSON.stringify(wanted)).toBe(status);
      expect(answer.record("error").code).toBe(code);
    }
  });

  it("ends with its file, and works with nothing altered", async () => {
    const { file } = await published(png, "image/png");
    const url = (await ask(theirs, { file })).text("url");
    const [name = "", signature = ""] = url.split("?sig=");
    const later = name.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
    for (const path of [name, `${name}?sig=${signature.slice(1)}`, `${later}?sig=${signature}`]) {
      const answer = await use(path);
      expect(answer.status, path).toBe(400);
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        error: { code: "signature_invalid" },
      });
    }
    expect((await use(url, [], "DELETE")).status).toBe(405);
    await theirs.delete(`/v21.0/${file}`);
    expect((await use(url)).status).toBe(404);
  });

  it("leaves its signature out of the log", async () => {
    const { file } = await published(png, "image/png");
    const url = (await ask(theirs, { file })).text("url");
    await use(url);
    const log = await eventually(
      () => {
        const lines = server.logLines.join("\n");
        return lines.includes(`"GET","path":"/previews/f.${file}.`) ? lines : undefined;
      },
      { what: "the line of the log" },
    );
    expect(log).not.toContain(url.split("?sig=")[1]);
  });
});
