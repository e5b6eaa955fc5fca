import { describe, expect, it } from "vitest";
import type { Config, ConfigSources } from "./config.ts";
import { readConfig } from "./config.ts";

function read(sources: Partial<ConfigSources> & { readonly yaml?: string }): Config {
  const { flags = {}, environment = {}, yaml } = sources;
  if (yaml === undefined) return readConfig({ flags, environment });
  return readConfig({ flags: { config: "h.yaml", ...flags }, environment, readFile: () => yaml });
}

describe("readConfig", () => {
  it("has a default for everything that is needed", () => {
    expect(read({})).toEqual({
      host: "127.0.0.1",
      port: 8080,
      dataDirectory: "./hawser-data",
      catalogConnections: 10,
      migrate: false,
      assemble: "on-publish",
      redirectDownloads: false,
      trustProxy: false,
      interimAnswers: false,
      open: false,
      corsOrigins: "*",
      graphMode: "documented",
      logLevel: "info",
      handleLifetimeMs: 345_600_000,
      sweepIntervalMs: 60_000,
      threadPoolSize: 4,
    });
    expect(Object.isFrozen(read({}))).toBe(true);
  });

  it("prefers flags to environment to file to defaults", () => {
    const yaml = "port: 1\nhost: file\nlog: { level: warn }";
    const environment = { HAWSER_PORT: "2", HAWSER_HOST: "environment", HAWSER_TOKEN: "" };
    const config = read({ yaml, environment, flags: { port: "3", host: undefined } });
    expect(config).toMatchObject({ port: 3, host: "environment", logLevel: "warn" });
    expect(config).not.toHaveProperty("token");
  });

  it("knows one name in all its spellings", () => {
    const url = "https://files.example.com/";
    const expected = { publicUrl: "https://files.example.com", trustProxy: true };
    expect(read({ flags: { publicUrl: url, trustProxy: true } })).toMatchObject(expected);
    const environment = { HAWSER_PUBLIC_URL: url, HAWSER_TRUST_PROXY: "1" };
    expect(read({ environment })).toMatchObject(expected);
    expect(read({ yaml: `public.url: ${url}\ntrust:\n  proxy: yes` })).toMatchObject(expected);
    expect(read({ yaml: `public-url: ${url}\ntrust-proxy: true` })).toMatchObject(expected);
  });

  it("takes origins as browsers write them, all of them or none", () => {
    const corsOrigins = "https://a.example, http://localhost:5173";
    const list = ["https://a.example", "http://localhost:5173"];
    expect(read({ flags: { corsOrigins } }).corsOrigins).toEqual(list);
    expect(read({ environment: { HAWSER_CORS_ORIGINS: "none" } }).corsOrigins).toEqual([]);
    expect(read({ yaml: 'cors: { origins: "*" }' }).corsOrigins).toBe("*");
  });

  it("keeps every digit of an app id in the file", () => {
    expect(read({ yaml: "app-id: 12345678901234567890" }).appId).toBe("12345678901234567890");
  });

  it.for<[RegExp, Parameters<typeof read>[0]]>([
    [/^HAWSER_PROT is not .* HAWSER_PORT\?$/, { environment: { HAWSER_PROT: "1" } }],
    [/^graph-mod in h.yaml is not .* graph-mode\?$/, { yaml: "graph: { mod: documented }" }],
    [/^config in h.yaml is not an option/, { yaml: "config: other.yaml" }],
    [
      /^graph-mode in h.yaml is given twice/,
      { yaml: "graph-mode: documented\ngraph.mode: documented" },
    ],
    [/^port in h.yaml is not one value/, { yaml: "port: [1]" }],
    [/^--config h.yaml is not a list/, { yaml: "- port" }],
    [/^--config h.yaml cannot be read/, { yaml: "a: b: c" }],
    [/^--port is "65536": expected a whole number/, { flags: { port: "65536" } }],
    [/^HAWSER_PORT is "http": expected/, { environment: { HAWSER_PORT: "http" } }],
    [/^--graph-mode is "observed": .* not yet supported/, { flags: { graphMode: "observed" } }],
    [/^HAWSER_PUBLIC_URL is "ftp:/, { environment: { HAWSER_PUBLIC_URL: "ftp://a.b" } }],
    [/^--cors-origins is "https:\/\/a.b\/": expected/, { flags: { corsOrigins: "https://a.b/" } }],
    [/^--cors-origins is "\*,https:\/\/a.b": /, { flags: { corsOrigins: "*,https://a.b" } }],
    [/^HAWSER_APP_ID is "x1": expected 1 to 20 digits/, { environment: { HAWSER_APP_ID: "x1" } }],
    [/^HAWSER_TOKEN: expected/, { environment: { HAWSER_TOKEN: "se|cret" } }],
  ])("refuses with %s", ([message, sources]) => {
    expect(() => read(sources)).toThrow(message);
  });

  it("leaves the variables of the commands and of the tests alone", () => {
    const environment = { HAWSER_URL: "x", HAWSER_STATE: "y", HAWSER_TEST_URL: "z", PATH: "/" };
    expect(read({ environment }).port).toBe(8080);
  });

  it("--open is refused where others can reach the port", () => {
    expect(read({ flags: { open: true } })).toMatchObject({ open: true });
    expect(read({ flags: { open: true, host: "::1" } })).toMatchObject({ open: true });
    expect(() => read({ flags: { open: true, host: "0.0.0.0" } })).toThrow(
      "--open is for trials on this machine: --host 0.0.0.0 is not within it.",
    );
  });
});
