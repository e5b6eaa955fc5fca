import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { crc32 } from "node:zlib";

import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, expectGraphHeaders, malformed, noToken } from "./expect-error.ts";
import { unknownNode, unknownToken } from "./expect-error.ts";
import { isRecord, queryOf } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const bytes = patternBytes({ seed: 41, length: 5000 });
const nodeFields = "id,name,mime_type,size,crc32,sha256,created_time,url";

describe("publishing on the files edge", () => {
  it("answers the id of the file, a numeric string, and nothing else", async () => {
    const { api } = target();
    const handle = await api.upload(bytes);
    const answer = await api.postForm(`/v21.0/${api.appId}/files`, { handle });
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(Object.keys(answer.json)).toEqual(["id"]);
    expect(answer.text("id")).toMatch(/^\d+$/);
    expectGraphHeaders(answer);
  });

  it("answers the same id when the same handle is published twice, even at once", async () => {
    const { api } = target();
    const handle = await api.upload(bytes);
    const first = await api.publish(handle);
    expect(await api.publish(handle)).toBe(first);
    const another = await api.upload(bytes);
    const [one, two] = await Promise.all([api.publish(another), api.publish(another)]);
    expect(one).toBe(two);
    expect(one).not.toBe(first);
  });

  it("takes handle and token from the query, a form or JSON", async () => {
    const { api } = target();
    const handle = await api.upload(bytes);
    const path = `/v21.0/${api.appId}/files`;
    const fields = { handle, access_token: api.token };
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const json = { "Content-Type": "application/json" };
    const answers = [
      await api.request({ method: "POST", path: `${path}?${queryOf(fields)}` }),
      await api.request({ method: "POST", path, headers: form, body: queryOf(fields) }),
      await api.request({ method: "POST", path, headers: json, body: JSON.stringify(fields) }),
      await api.postForm("/v21.0/app/files", { handle }),
    ];
    const ids = answers.map((answer) => answer.text("id"));
    expect(new Set(ids).size, ids.join()).toBe(1);
  });

  it("takes a name and a description", async () => {
    const { api } = target();
    const handle = await api.upload(bytes, { file_name: "uploaded.pdf" });
    const id = await api.publish(handle, { name: "published.pdf", description: "a file" });
    const { json } = await api.get(`/v21.0/${id}?fields=name`);
    expect(json.name).toBe("published.pdf");
  });

  it("refuses a description with a NUL, which not every catalog can keep", async () => {
    const { api } = target();
    const handle = await api.upload(bytes);
    const path = `/v21.0/${api.appId}/files`;
    const answer = await api.postJson(path, { handle, description: "a\u0000b" });
    expectGraphError(answer, { status: 400, type: "OAuthException", code: 100 });
    expect(answer.record("error").message).toMatch(/description/);
    const video = { fbuploader_video_file_chunk: handle, description: "\u0000" };
    expect((await api.postJson(`/v21.0/${api.appId}/videos`, video)).status).toBe(400);
    expect((await api.postJson(path, { handle, description: "a\n\tb" })).status).toBe(200);
  });

  it("refuses a request without a handle and names it", async () => {
    const { api } = target();
    const answer = await api.postForm(`/v21.0/${api.appId}/files`, { name: "x" });
    expect(answer.status).toBe(400);
    expect(answer.record("error")).toMatchObject({ code: 100, type: "OAuthException" });
    expect(answer.record("error").message).toMatch(/handle/);
  });

  it("refuses a request without a token, or with one nobody knows", async () => {
    const { api } = target();
    const handle = await api.upload(bytes);
    const path = `/v21.0/${api.appId}/files?${queryOf({ handle })}`;
    expectGraphError(await api.request({ method: "POST", path }), noToken);
    const stranger = `${path}&access_token=nobody-knows-it`;
    expectGraphError(await api.request({ method: "POST", path: stranger }), unknownToken);
  });
});

describe("the published file", () => {
  it("gives the fields asked for", async () => {
    const { api } = target();
    const id = await api.publish(await api.upload(bytes, { file_name: "größe.pdf" }));
    const answer = await api.get(`/v21.0/${id}?fields=${nodeFields}`);
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(Object.keys(answer.json).sort()).toEqual(nodeFields.split(",").sort());
    expect(answer.json).toMatchObject({
      id,
      name: "größe.pdf",
      mime_type: "application/pdf",
      size: bytes.length,
      crc32: crc32(bytes).toString(16).padStart(8, "0"),
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
    expect(answer.json.created_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
    expect(answer.json.url).toMatch(new RegExp(`${id}/content`));
    expectGraphHeaders(answer);
  });

  it("gives only the fields asked for, with or without a version, and its id always", async () => {
    const { api } = target();
    const id = await api.publish(await api.upload(bytes));
    for (const path of [`/v21.0/${id}`, `/${id}`]) {
      const answer = await api.get(`${path}?fields=size`);
      expect(answer.json).toEqual({ id, size: bytes.length });
    }
    expect((await api.get(`/v21.0/${id}`)).json).toMatchObject({ id });
  });

  it("takes the token from the query", async () => {
    const { api } = target();
    const id = await api.publish(await api.upload(bytes));
    const path = `/v21.0/${id}?fields=id&access_token=${api.token}`;
    expect((await api.request({ method: "GET", path })).json).toEqual({ id });
    expectGraphError(await api.request({ method: "GET", path: `/v21.0/${id}` }), noToken);
  });

  it("refuses other methods", async () => {
    const { api } = target();
    const path = `/v21.0/${await api.publish(await api.upload(bytes))}`;
    for (const method of ["PUT", "PATCH"]) {
      const answer = await api.authorized({ method, path });
      expect(answer.status).toBe(400);
      expect(answer.record("error")).toMatchObject({ type: "GraphMethodException", code: 100 });
    }
  });

  it("is gone after DELETE, which answers success", async () => {
    const { api } = target();
    const id = await api.publish(await api.upload(bytes));
    const deleted = await api.delete(`/v21.0/${id}`);
    expect(deleted.status).toBe(200);
    expect(deleted.json).toEqual({ success: true });
    expectGraphError(await api.get(`/v21.0/${id}?fields=id`), unknownNode);
    expectGraphError(await api.get(`/v21.0/${id}/content`), unknownNode);
    expectGraphError(await api.delete(`/v21.0/${id}`), unknownNode);
  });

  it("takes the token of a DELETE from its body, too", async () => {
    const { api } = target();
    const tokens = { access_token: api.token };
    const bodies = [
      { type: "application/x-www-form-urlencoded", body: queryOf(tokens) },
      { type: "application/json", body: JSON.stringify(tokens) },
    ];
    for (const { type, body } of bodies) {
      const path = `/v21.0/${await api.publish(await api.upload(bytes))}`;
      const headers = { "Content-Type": type };
      const deleted = await api.request({ method: "DELETE", path, headers, body });
      expect(deleted.status, deleted.body.toString()).toBe(200);
      expectGraphError(await api.get(path), unknownNode);
    }
    const kept = `/v21.0/${await api.publish(await api.upload(bytes))}`;
    expectGraphError(await api.request({ method: "DELETE", path: kept }), noToken);
  });

  it("that never was is answered like one that is not yours", async (context) => {
    const { api } = target();
    for (const id of ["999999999999999", "9".repeat(30), "%00", "a%00b"]) {
      expectGraphError(await api.get(`/v21.0/${id}`), unknownNode);
      expectGraphError(await api.get(`/v21.0/${id}/content`), unknownNode);
      expectGraphError(await api.delete(`/v21.0/${id}`), unknownNode);
    }
    const other = await target().secondApp(context);
    const id = await api.publish(await api.upload(bytes));
    for (const path of [`/v21.0/${id}`, `/v21.0/${id}/content`]) {
      expectGraphError(await other.get(path), unknownNode);
    }
    expectGraphError(await other.delete(`/v21.0/${id}`), unknownNode);
    expect((await api.content(id)).equals(bytes)).toBe(true);
  });
});

describe("listing the published files", () => {
  it("pages with limit and after until each was seen once", async () => {
    const { api } = target();
    const published = new Set<string>();
    for (let count = 0; count < 3; count += 1) {
      published.add(await api.publish(await api.upload(bytes)));
    }
    const seen: unknown[] = [];
    let after = "";
    for (let page = 0; page < 200; page += 1) {
      const answer = await api.get(`/v21.0/${api.appId}/files?limit=2${after}`);
      expect(answer.status, answer.body.toString()).toBe(200);
      const data = answer.records("data");
      expect(data.length).toBeLessThanOrEqual(2);
      seen.push(...data.map(({ id }) => id));
      const { cursors } = answer.json.paging === undefined ? {} : answer.record("paging");
      const cursor = isRecord(cursors) ? cursors.after : undefined;
      if (data.length === 0 || typeof cursor !== "string") break;
      after = `&after=${encodeURIComponent(cursor)}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const id of published) expect(seen).toContain(id);
  });

  it("goes on after a page of files that are deleted, and from a cursor that is an id alone", async (context) => {
    // Its newest files are deleted, which must be nobody else's.
    const api = await target().secondApp(context);
    for (let count = 0; count < 4; count += 1) await api.publish(await api.upload(bytes));
    const list = async (query: string) => {
      const answer = await api.get(`/v21.0/${api.appId}/files?${query}`);
      const { cursors } = answer.record("paging");
      const after = isRecord(cursors) ? String(cursors.after) : "";
      return { ids: answer.records("data").map(({ id }) => String(id)), after };
    };
    const { ids } = await list("limit=4");
    const rest = ids.slice(2);
    const earlier = Buffer.from(ids[1] ?? "").toString("base64url");
    expect((await list(`limit=2&after=${earlier}`)).ids).toEqual(rest);
    const { after } = await list("limit=2");
    for (const id of ids.slice(0, 2)) await api.delete(`/v21.0/${id}`);
    expect((await list(`limit=2&after=${encodeURIComponent(after)}`)).ids).toEqual(rest);
    const edge = `/v21.0/${api.appId}/files`;
    expectGraphError(await api.get(`${edge}?after=${earlier}`), unknownNode);
    const answer = await api.get(`${edge}?after=nonsense`);
    expectGraphError(answer, { ...malformed, message: /after/ });
  });

  it("refuses a limit that is no number", async () => {
    const { api } = target();
    const answer = await api.get(`/v21.0/${api.appId}/files?limit=all`);
    expectGraphError(answer, { ...malformed, message: /limit/ });
  });
});
