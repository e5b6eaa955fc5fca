import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectTaken } from "./expect-answer.ts";
import { useIetfTarget } from "./ietf-target.ts";

const target = useIetfTarget();

const length = 8_000;
const whole = patternBytes({ seed: 49, length });

describe("every answer about an upload", () => {
  it("tells where Graph has it, interim ones, refusals and the last one, too", async (context) => {
    const { api } = target();
    target().hawser(context);
    const created = await api.create({ bytes: whole });
    const { location: url } = created;
    const link = created.header("link");
    expect(link).toContain("upload:");
    expect(created.interim.length).toBeGreaterThan(0);
    for (const { headers } of created.interim) expect(headers.link).toBe(link);
    const answers = [
      await api.head(url),
      await api.append(url, 7, { bytes: whole }),
      await api.append(url, length, { complete: true, length: 7 }),
      await api.delete(url),
      await api.head(url),
    ];
    expect(answers.map(({ status }) => status)).toEqual([204, 409, 400, 204, 410]);
    for (const answer of answers) expect(answer.header("link"), answer.shown).toBe(link);
  });

  it("tells nothing of it to who may not see it", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const url = await api.begun();
    for (const token of ["not-a-token", (await graph.secondApp(context)).token]) {
      const answer = await api.as(token).head(url);
      expect([401, 404]).toContain(answer.status);
      expect(answer.header("link")).toBeUndefined();
    }
  });
});

describe("one upload in two protocols", () => {
  it("begun by Graph is gone on with here, and is complete once its bytes are all there", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const id = await graph.api.start({ file_length: length });
    await graph.api.append({ id, offset: 0, bytes: whole.subarray(0, 3_000) });
    const url = (await graph.api.status(id, "url")).text("url");
    expect(await api.offset(url)).toBe(3_000);
    const answer = await api.append(url, 3_000, { bytes: whole.subarray(3_000) });
    expectTaken(answer, 201);
    expect(api.completeness(answer)).toBe(true);
    await target().expectContent(url, whole);
  });

  it("begun here is gone on with by Graph, and completed here", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const created = await api.create({ bytes: whole.subarray(0, 3_000), length });
    const id = created.graphId;
    const rest = whole.subarray(3_000, 5_000);
    const answer = await graph.api.append({ id, offset: 3_000, bytes: rest });
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(answer.number("file_offset")).toBe(5_000);
    const last = { bytes: whole.subarray(5_000), complete: true };
    const final = await api.append(created.location, 5_000, last);
    expectTaken(final, 201);
    await target().expectContent(created.location, whole);
  });

  it("begun by tus without a length is completed here, where its length is said at last", async (context) => {
    const { api } = target();
    target().hawser(context);
    const tus = { ...api.authorization, "Tus-Resumable": "1.0.0" };
    const type = Buffer.from("application/pdf").toString("base64");
    const { location: url } = await api.request({
      method: "POST",
      url: target().api.url.href,
      headers: { ...tus, "Upload-Defer-Length": "1", "Upload-Metadata": `filetype ${type}` },
    });
    expect((await api.head(url)).header("upload-length")).toBeUndefined();
    const answer = await api.append(url, 0, { bytes: whole, complete: true });
    expectTaken(answer, 201);
    const told = await api.request({ method: "HEAD", url, headers: tus });
    expect(told.header("upload-length")).toBe(`${length}`);
    await target().expectContent(url, whole);
  });

  it("begun here and left with all its bytes is open until told, or until tus asks", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const cli = graph.cli(context);
    const reader = await cli.createToken({ app: graph.api.appId, scopes: ["read"] });
    const { location: url, graphId } = await api.create({
      bytes: whole.subarray(0, 3_000),
      length,
    });
    await api.append(url, 3_000, { bytes: whole.subarray(3_000) });
    expect(api.completeness(await api.head(url))).toBe(false);
    const ask = (authorization: object) =>
      api.request({
        ...{ method: "HEAD", url },
        headers: { ...authorization, "Tus-Resumable": "1.0.0" },
      });
    const looked = await ask(api.as(reader).authorization);
    expect(looked.header("upload-offset"), looked.shown).toBe(`${length}`);
    expect(api.completeness(await api.head(url))).toBe(false);
    const asked = await ask(api.authorization);
    expect(asked.header("upload-offset"), asked.shown).toBe(`${length}`);
    expect(asked.header("upload-expires")).toBeUndefined();
    const file = await graph.api.publish((await graph.api.status(graphId, "h")).text("h"));
    expect((await graph.api.content(file)).equals(whole)).toBe(true);
    expect(api.completeness(await api.head(url))).toBe(true);
  });

  it("begun here and left with bytes that are not of its type is rejected when tus asks", async (context) => {
    const { api } = target();
    const graph = target().hawser(context);
    const strict = api.as((await graph.secondApp(context, { contentPolicy: "reject" })).token);
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    const { location: url } = await strict.create({ bytes: png, length: png.length });
    const headers = { ...strict.authorization, "Tus-Resumable": "1.0.0" };
    const asked = await strict.request({ method: "HEAD", url, headers });
    expect(asked.status, asked.shown).toBe(422);
  });
});
