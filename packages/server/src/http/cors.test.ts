import { afterEach, describe, expect, it } from "vitest";

import { headerValue, type HeaderLine, rawRequest } from "../../../../test/support/raw-http.ts";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { AllowedOrigins } from "./cors.ts";
import { HttpServer } from "./server.ts";

const servers: HttpServer[] = [];

/** Answers everything alike but `/broken`, at which it fails. */
async function serve(corsOrigins?: AllowedOrigins): Promise<{ host: string; port: number }> {
  const server = new HttpServer({
    protocols: [
      {
        name: "test",
        matches: ({ path }) => !path.startsWith("/other"),
        handle: async (exchange) => {
          if (exchange.path === "/broken") throw new Error("broken");
          await exchange.respond({ status: 200, headers: {}, body: exchange.method });
        },
      },
    ],
    fallback: (_, response) => {
      response.end("fallback");
    },
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    ...(corsOrigins === undefined ? {} : { corsOrigins }),
  });
  servers.push(server);
  return await server.listen("127.0.0.1", 0);
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.drain()));
});

const ours = "https://app.example.com";
const other = "http://localhost:5173";

function from(origin: string): readonly HeaderLine[] {
  return [["Origin", origin]];
}

function asking(origin: string): readonly HeaderLine[] {
  return [...from(origin), ["Access-Control-Request-Method", "PATCH"]];
}

describe("the origins that may call", () => {
  it("are told their own name and no other, where an operator lists them", async () => {
    const address = await serve([ours, other]);
    for (const origin of [ours, other]) {
      const answer = await rawRequest(address, { method: "GET", path: "/", headers: from(origin) });
      expect(headerValue(answer, "access-control-allow-origin")).toBe(origin);
      expect(headerValue(answer, "vary")).toBe("Origin");
    }
  });

  it.for([
    `${ours}.evil.example`,
    "https://app.example.com:8443",
    "http://app.example.com",
    "HTTPS://APP.EXAMPLE.COM",
    "null",
    "",
    `${ours}, ${other}`,
  ])("do not include %j", async (origin) => {
    const address = await serve([ours, other]);
    const simple = { method: "GET", path: "/", headers: from(origin) };
    const preflight = { method: "OPTIONS", path: "/", headers: asking(origin) };
    for (const request of [simple, preflight]) {
      const answer = await rawRequest(address, request);
      const told = answer.headers.map(([name]) => name.toLowerCase());
      expect(told.filter((name) => name.startsWith("access-control-"))).toEqual([]);
      expect(headerValue(answer, "vary")).toBe("Origin");
    }
  });

  it("are nobody where nothing is set, and raw refusals name nobody of a list", async () => {
    const nobody = await serve();
    const answer = await rawRequest(nobody, { method: "GET", path: "/", headers: from(ours) });
    expect(headerValue(answer, "access-control-allow-origin")).toBeUndefined();
    const large: HeaderLine[] = [...from(ours), ["X-Large", "x".repeat(40_000)]];
    const request = { method: "GET", path: "/", headers: large };
    const refused = await rawRequest(await serve([ours]), request);
    expect(refused.status).toBe(431);
    expect(headerValue(refused, "access-control-allow-origin")).toBeUndefined();
  });

  it("may read that something broke, and nothing of what no protocol knows", async () => {
    const address = await serve([ours]);
    const ask = (path: string) => rawRequest(address, { method: "GET", path, headers: from(ours) });
    const broken = await ask("/broken");
    expect(broken.status).toBe(500);
    expect(headerValue(broken, "access-control-allow-origin")).toBe(ours);
    const fallback = await ask("/other");
    expect(fallback.body.toString()).toBe("fallback");
    expect(headerValue(fallback, "access-control-allow-origin")).toBeUndefined();
  });

  it("are answered before the protocol sees the question, which no other OPTIONS is", async () => {
    const address = await serve([ours]);
    const preflight = { method: "OPTIONS", path: "/", headers: asking(ours) };
    const allowed = await rawRequest(address, preflight);
    expect([allowed.status, allowed.body.toString()]).toEqual([204, ""]);
    expect(headerValue(allowed, "access-control-allow-methods")).toContain("PATCH");
    const plain = await rawRequest(address, { ...preflight, headers: from(ours) });
    expect([plain.status, plain.body.toString()]).toEqual([200, "OPTIONS"]);
  });
});
