import { describe, expect, it } from "vitest";

import { useTusTarget } from "./tus-target.ts";
import { version } from "./tus-api.ts";

const target = useTusTarget();

const extensions = [
  "creation",
  "creation-with-upload",
  "creation-defer-length",
  "expiration",
  "checksum",
  "checksum-trailer",
  "termination",
  "concatenation",
  "concatenation-unfinished",
];

describe("OPTIONS", () => {
  it("is answered with 200 or 204 and the versions that the server has", async () => {
    const answer = await target().api.options();
    expect([200, 204], answer.seen).toContain(answer.status);
    expect(answer.list("tus-version")[0], answer.seen).toBe(version);
    expect(answer.header("tus-resumable")).toBe(version);
    expect(answer.body).toHaveLength(0);
  });

  it.for(["0.2.2", "9.9.9", "none"])("ignores that the request names version %s", async (other) => {
    const { api } = target();
    const answer = await api.options(api.url, { "Tus-Resumable": other });
    expect([200, 204], answer.seen).toContain(answer.status);
    expect(answer.list("tus-version")).toContain(version);
  });

  it("is answered for an upload's own URL, too", async () => {
    const { api } = target();
    const answer = await api.options(await api.create({ "Upload-Length": "10" }));
    expect([200, 204], answer.seen).toContain(answer.status);
    expect(answer.list("tus-version")).toContain(version);
  });

  it.for(extensions)("announces the extension %s", async (extension) => {
    const answer = await target().api.options();
    expect(answer.list("tus-extension"), answer.seen).toContain(extension);
  });

  it("lists the checksum algorithms in lower case, sha1 among them", async () => {
    const answer = await target().api.options();
    const algorithms = answer.list("tus-checksum-algorithm");
    expect(algorithms, answer.seen).toContain("sha1");
    for (const algorithm of algorithms) expect(algorithm).toMatch(/^[!-@[-~]+$/);
  });

  it("tells the most that an upload may have as a whole number, if it tells it", async () => {
    const size = (await target().api.options()).header("tus-max-size");
    expect(size ?? "0").toMatch(/^(0|[1-9]\d*)$/);
  });

  it("tells the limit of the app whose token comes along", async (context) => {
    const { api } = await target().secondApp(context, { lengthMax: 12_345 });
    expect((await api.options()).header("tus-max-size")).toBe("12345");
  });

  it.for([undefined, "nobody-knows-it"])("wants no token: %s", async (token, context) => {
    target().hawser(context);
    const answer = await target().api.withToken(token).options();
    expect(answer.status, answer.seen).toBe(204);
    expect(answer.header("tus-max-size")).toBeUndefined();
    expect(answer.list("tus-extension")).toEqual(expect.arrayContaining(extensions));
  });

  it("names md5, sha256 and crc32 beside sha1", async (context) => {
    target().hawser(context);
    const answer = await target().api.options();
    const algorithms = answer.list("tus-checksum-algorithm");
    expect(algorithms.toSorted()).toEqual(["crc32", "md5", "sha1", "sha256"]);
  });
});
