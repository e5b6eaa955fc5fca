import { describe, expect, it, type TestContext } from "vitest";

import { eventually } from "../../support/eventually.ts";
import {
  headerValue,
  headerValues,
  type HeaderLine,
  RawConnection,
  rawRequest,
  type RawResponse,
} from "../../support/raw-http.ts";
import { uploadPath } from "./graph-api.ts";
import { declaring, useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const origin: HeaderLine = ["Origin", "https://app.example.com"];

function preflightOf(method: string): readonly HeaderLine[] {
  return [
    origin,
    ["Access-Control-Request-Method", method],
    ["Access-Control-Request-Headers", "authorization,file_offset"],
  ];
}

function send(
  context: TestContext,
  request: { method: string; path: string; headers: readonly HeaderLine[] },
): Promise<RawResponse> {
  const path = target().api.pathOf(request.path);
  return rawRequest(target().rawAddress(context), { ...request, path });
}

function listOf(answer: RawResponse, name: string): string[] {
  return (headerValue(answer, name) ?? "").split(",").map((each) => each.trim());
}

/** A page of another origin may read this answer, and is never told that cookies would count. */
function expectReadable(answer: RawResponse): void {
  expect(headerValues(answer, "access-control-allow-origin")).toEqual(["*"]);
  expect(headerValue(answer, "access-control-allow-credentials")).toBeUndefined();
  expect(listOf(answer, "vary")).toContain("Origin");
}

describe("a browser's question before it sends", () => {
  it.for([
    ["POST", "/v21.0/1234/uploads"],
    ["POST", "/v21.0/upload:MTph?sig=ARAA"],
    ["GET", "/v21.0/upload:MTph?sig=ARAA"],
    ["DELETE", "/v21.0/upload:MTph?sig=ARAA"],
    ["POST", "/v21.0/1234/files"],
    ["HEAD", "/v21.0/77/content"],
  ])("is answered without a token: %s %s", async ([method = "", path = ""], context) => {
    const answer = await send(context, { method: "OPTIONS", path, headers: preflightOf(method) });
    expect(answer.status, answer.body.toString()).toBe(204);
    expect(answer.body).toHaveLength(0);
    expectReadable(answer);
    expect(listOf(answer, "access-control-allow-methods")).toContain(method);
    const headers = listOf(answer, "access-control-allow-headers");
    expect(headers).toEqual(expect.arrayContaining(["authorization", "content-type", "range"]));
    expect(headers).toEqual(expect.arrayContaining(["file_offset", "file-offset"]));
    expect(Number(headerValue(answer, "access-control-max-age"))).toBeGreaterThan(0);
  });

  it("leaves its connection fit for the request that follows", async (context) => {
    const { api } = target();
    const id = await api.start();
    const path = api.pathOf(uploadPath(id));
    using connection = await target().connect(context);
    await connection.sendHead({ method: "OPTIONS", path, headers: preflightOf("POST") });
    expect((await connection.answer()).status).toBe(204);
    const head = target().appendHead({ id, offset: 0 }, [origin, ...declaring(10)]);
    await connection.sendHead(head);
    await connection.write("%PDF-12345");
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(200);
    expectReadable(answer);
  });

  it("is none without an origin or a method: that is an unsupported request", async (context) => {
    const path = "/v21.0/1234/uploads";
    const token: HeaderLine = ["Authorization", `OAuth ${target().api.token}`];
    for (const header of [origin, ["Access-Control-Request-Method", "POST"]] as const) {
      const answer = await send(context, { method: "OPTIONS", path, headers: [header, token] });
      expect(answer.status, answer.body.toString()).toBe(400);
    }
  });
});

describe("an answer to a page of another origin", () => {
  it("lets it read what it needs to go on", async (context) => {
    const { api } = target();
    const headers: HeaderLine[] = [origin, ["Authorization", `OAuth ${api.token}`]];
    const path = uploadPath(await api.start());
    const answer = await send(context, { method: "GET", path, headers });
    expect(answer.status, answer.body.toString()).toBe(200);
    expectReadable(answer);
    const exposed = listOf(answer, "access-control-expose-headers");
    const needed = ["retry-after", "www-authenticate", "x-fb-trace-id", "content-range", "etag"];
    expect(exposed).toEqual(expect.arrayContaining(needed));
  });

  it("is readable when it is a refusal", async (context) => {
    const path = uploadPath(await target().api.start());
    const wrong: HeaderLine = ["Authorization", "OAuth nobody-knows-it"];
    for (const [status, headers] of [
      [401, [origin]],
      [401, [origin, wrong]],
      [400, [origin, wrong, wrong]],
    ] as const) {
      const answer = await send(context, { method: "GET", path, headers });
      expect(answer.status, answer.body.toString()).toBe(status);
      expectReadable(answer);
    }
  });

  it("is readable when it refuses a body before it came", async (context) => {
    using connection = await target().connect(context);
    const path = target().api.pathOf(uploadPath(await target().api.start()));
    const headers = [origin, ...declaring(64 * 1024 ** 2)];
    await connection.sendHead({ method: "POST", path, headers });
    const answer = await connection.answer();
    expect(answer.status, answer.body.toString()).toBe(401);
    expectReadable(answer);
  });

  it("is readable when its request is no HTTP or has too much of a head", async (context) => {
    using connection = await RawConnection.open(target().rawAddress(context));
    await connection.write("POST nowhere\r\n\r\n");
    expectReadable(await connection.answer());
    const headers: HeaderLine[] = [origin, ["X-Large", "x".repeat(40_000)]];
    const answer = await send(context, { method: "GET", path: "/v21.0/1234/uploads", headers });
    expect(answer.status).toBe(431);
    expectReadable(answer);
  });

  it("says nothing to who names no origin, but that others are answered otherwise", async (context) => {
    const answer = await send(context, { method: "GET", path: "/v21.0/77/content", headers: [] });
    expect(headerValue(answer, "access-control-allow-origin")).toBeUndefined();
    expect(listOf(answer, "vary")).toContain("Origin");
  });
});

it("no origin gets into the log, whatever is in it", async (context) => {
  const server = target().ownServer(context);
  const hostile = 'https://marked-origin.example"}{"level":60,"msg":"\u001b[31mowned';
  const headers: HeaderLine[] = [["Origin", hostile]];
  await send(context, { method: "GET", path: "/v21.0/77/content", headers });
  await send(context, {
    method: "OPTIONS",
    path: "/v21.0/77/content",
    headers: [...headers, ["Access-Control-Request-Method", "GET"]],
  });
  const log = await eventually(
    () => {
      const lines = server.logLines.filter((line) => line.includes("/v21.0/77/content"));
      return lines.some((line) => line.includes("OPTIONS"))
        ? server.logLines.join("\n")
        : undefined;
    },
    { what: "the lines of the log" },
  );
  expect(log).not.toContain("marked-origin");
});
