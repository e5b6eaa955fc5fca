import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import {
  headerValue,
  type HeaderLine,
  type RawAddress,
  rawRequest,
  type RawResponse,
} from "../../../../test/support/raw-http.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import { HttpServer } from "../http/server.ts";
import { Hono } from "hono";
import { controlListener } from "./control.ts";
import { addPage } from "./page.ts";
import type { ControlEnvironment } from "./request.ts";

let directory: string;
let server: HttpServer;
let address: RawAddress;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hawser-page-"));
  const app = new Hono<ControlEnvironment>();
  addPage(app, join(directory, "web"));
  const listener = controlListener(app);
  server = new HttpServer({
    protocols: [],
    fallback: (request, response) => void listener(request, response),
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
  });
  address = await server.listen("127.0.0.1", 0);
});

beforeEach(async () => {
  await rm(join(directory, "web"), { recursive: true, force: true });
});

afterAll(async () => {
  await server.drain();
  await rm(directory, { recursive: true });
});

async function build(files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(directory, "web/assets/inner.js"), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(directory, "web", name), text);
  }
}

const page = {
  "index.html": "<!doctype html><title>Hawser</title>",
  "secret.js": "not for anybody",
  "assets/index-1a2b.js": "export {};",
  "assets/index-1a2b.js.map": "{}",
  "assets/index-1a2b.css": "p {}",
};

function get(path: string, headers: readonly HeaderLine[] = [], method = "GET") {
  return rawRequest(address, { method, path, headers });
}

function expectProtected(answer: RawResponse): void {
  expect(headerValue(answer, "content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; " +
      "connect-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
      "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(headerValue(answer, "x-content-type-options")).toBe("nosniff");
  expect(headerValue(answer, "referrer-policy")).toBe("no-referrer");
}

describe("the page", () => {
  it("says how to build it while it is not built, and is there once it is", async () => {
    const before = await get("/");
    expect(before.status).toBe(200);
    expect(headerValue(before, "content-type")).toMatch(/^text\/plain/);
    expect(before.body.toString()).toContain("npm run build");
    expectProtected(before);
    await build(page);
    const after = await get("/");
    expect(after.status).toBe(200);
    expect(after.body.toString()).toBe(page["index.html"]);
    expect(headerValue(after, "content-type")).toBe("text/html; charset=utf-8");
    expectProtected(after);
  });

  it("is asked for again each time, and sent again only when it has changed", async () => {
    await build(page);
    const first = await get("/");
    expect(headerValue(first, "cache-control")).toBe("no-cache");
    const etag = headerValue(first, "etag") ?? "";
    const again = await get("/", [["If-None-Match", `"other", W/${etag}`]]);
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect(headerValue(again, "etag")).toBe(etag);
    await build({ "index.html": "<!doctype html><title>New</title>" });
    const changed = await get("/", [["If-None-Match", etag]]);
    expect(changed.status).toBe(200);
    expect(headerValue(changed, "etag")).not.toBe(etag);
  });

  it.for([
    ["index-1a2b.js", "text/javascript; charset=utf-8"],
    ["index-1a2b.css", "text/css; charset=utf-8"],
  ])("has its file %s kept for ever", async ([name = "", type]) => {
    await build(page);
    const answer = await get(`/assets/${name}`);
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toBe(page[`assets/${name}` as keyof typeof page]);
    expect(headerValue(answer, "content-type")).toBe(type);
    expect(headerValue(answer, "cache-control")).toBe("public, max-age=31536000, immutable");
    expectProtected(answer);
    const head = await get(`/assets/${name}`, [], "HEAD");
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(headerValue(head, "content-length")).toBe(String(answer.body.length));
  });

  it.for([
    "/assets/",
    "/assets/none.js",
    "/assets/inner.js",
    "/assets/index-1a2b.js.map",
    "/assets/../secret.js",
    "/assets/..%2Fsecret.js",
    "/assets/%2e%2e%2fsecret.js",
    "/assets/..%5csecret.js",
    "/assets/index-1a2b.js%00.css",
    "/assets/index-1a2b.js/more.js",
    `/assets/${"x".repeat(300)}.js`,
    "/secret.js",
    "/index.html",
  ])("has nothing at %s", async (path) => {
    await build(page);
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(answer.body.toString()).not.toContain("not for anybody");
  });
});
