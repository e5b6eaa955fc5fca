import { describe, expect, it } from "vitest";

import { patternBytes } from "../../support/seeded.ts";
import { expectGraphError, expectGraphHeaders, expectUploadError, gone } from "./expect-error.ts";
import { unsupportedRequest } from "./expect-error.ts";
import { type GraphAnswer, queryOf } from "./graph-api.ts";
import { useGraphTarget } from "./graph-target.ts";

const target = useGraphTarget();

const fields = { file_name: "a.pdf", file_length: "10", file_type: "application/pdf" };

function expectUnsupported(answer: GraphAnswer): void {
  const seen = answer.body.toString();
  expect(answer.status, seen).toBe(400);
  const { type, code } = unsupportedRequest;
  expect(answer.record("error"), seen).toMatchObject({ type, code });
}

describe("the routes", () => {
  it("start an upload at POST /{version}/{app-id}/uploads", async () => {
    const { api } = target();
    const answer = await api.startWith({ ...fields, access_token: api.token });
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(Object.keys(answer.json)).toEqual(["id"]);
    expect(answer.text("id")).toMatch(/^upload:/);
    expect(answer.headers["content-type"]).toMatch(/^application\/json/);
    expectGraphHeaders(answer);
  });

  it.for(["v1.0", "v21.0", "v99.12"])(
    "accept any version of the right form: %s",
    async (version) => {
      const { api } = target();
      const path = `/${version}/${api.appId}/uploads?${queryOf(fields)}`;
      const started = await api.authorized({ method: "POST", path });
      expect(started.status, started.body.toString()).toBe(200);
      const status = await api.get(`/${version}/${started.text("id")}`);
      expect(status.number("file_offset")).toBe(0);
    },
  );

  it("accept a path with the version left out, at every step", async () => {
    const { api } = target();
    const path = `/${api.appId}/uploads?${queryOf(fields)}`;
    const started = await api.authorized({ method: "POST", path });
    const id = started.text("id");
    expect((await api.get(`/${id}`)).number("file_offset")).toBe(0);
    const body = patternBytes({ seed: 1, length: 10 });
    const headers = { file_offset: "0" };
    const sent = await api.authorized({ method: "POST", path: `/${id}`, headers, body });
    expect(sent.status, sent.body.toString()).toBe(200);
    const { id: fileId } = (await api.postForm(`/${api.appId}/files`, { handle: sent.text("h") }))
      .json;
    expect(fileId).toMatch(/^\d+$/);
  });

  it("take `app` for the token's own app, with or without a version", async () => {
    const { api } = target();
    for (const path of ["/v21.0/app/uploads", "/app/uploads"]) {
      const started = await api.authorized({ method: "POST", path: `${path}?${queryOf(fields)}` });
      expect(started.status, started.body.toString()).toBe(200);
      const listed = await api.get(path);
      expect(listed.status, listed.body.toString()).toBe(200);
    }
  });

  it("allow a trailing slash when starting", async () => {
    const { api } = target();
    for (const app of [api.appId, "app"]) {
      const path = `/v21.0/${app}/uploads/?${queryOf(fields)}`;
      const started = await api.authorized({ method: "POST", path });
      expect(started.status, started.body.toString()).toBe(200);
    }
  });

  it("refuse a version of another form", async () => {
    const { api } = target();
    for (const version of ["21.0", "v21", "vx.0", "v21.0.1"]) {
      const path = `/${version}/${api.appId}/uploads?${queryOf(fields)}`;
      const { status } = await api.authorized({ method: "POST", path });
      expect(status, version).toBeGreaterThanOrEqual(400);
      expect(status, version).toBeLessThan(500);
    }
  });

  it.for(["PUT", "PATCH", "DELETE"])("answer %s on the uploads edge with 400", async (method) => {
    const { api } = target();
    const path = `/v21.0/${api.appId}/uploads?${queryOf(fields)}`;
    expectGraphError(await api.authorized({ method, path }), unsupportedRequest);
  });

  it.for(["PUT", "PATCH"])("answer %s on an upload with 400", async (method) => {
    const { api } = target();
    const path = `/v21.0/${await api.start()}`;
    expectUnsupported(await api.authorized({ method, path }));
    expect((await api.get(path)).number("file_offset")).toBe(0);
  });

  it.for(["PUT", "PATCH", "DELETE"])("answer %s on the files edge with 400", async (method) => {
    const { api } = target();
    const path = `/v21.0/${api.appId}/files`;
    expectGraphError(await api.authorized({ method, path }), unsupportedRequest);
  });

  it("answer an edge the app does not have with 400", async () => {
    const { api } = target();
    const path = `/v21.0/${api.appId}/no_such_edge`;
    expectUnsupported(await api.authorized({ method: "POST", path }));
  });
});

describe("giving up with DELETE /{version}/upload:{id}", () => {
  it("answers success, and from then on the upload is gone", async () => {
    const { api } = target();
    const id = await api.start();
    await api.append({ id, offset: 0, bytes: patternBytes({ seed: 1, length: 4 }) });
    const deleted = await api.delete(`/v21.0/${id}`);
    expect(deleted.status).toBe(200);
    expect(deleted.json).toEqual({ success: true });
    expectUploadError(await api.status(id), gone);
    const bytes = patternBytes({ seed: 1, start: 4, length: 6 });
    expectUploadError(await api.append({ id, offset: 4, bytes }), gone);
  });
});

describe("listing mine with GET /{version}/{app-id}/uploads", () => {
  async function listed(query: string): Promise<GraphAnswer> {
    const { api } = target();
    const answer = await api.get(`/v21.0/${api.appId}/uploads?${query}`);
    expect(answer.status, answer.body.toString()).toBe(200);
    return answer;
  }

  /** Follows the cursors until every wanted id was seen, or the pages end. */
  async function findAll(wanted: readonly string[], query: string): Promise<Set<string>> {
    const missing = new Set(wanted);
    let after = "";
    for (let page = 0; page < 50 && missing.size > 0; page += 1) {
      const answer = await listed(`${query}${after}`);
      const ids = answer.records("data").map(({ id }) => id);
      for (const id of ids) if (typeof id === "string") missing.delete(id);
      const cursor = afterCursor(answer);
      if (cursor === undefined || ids.length === 0) break;
      after = `&after=${encodeURIComponent(cursor)}`;
    }
    return missing;
  }

  function afterCursor(answer: GraphAnswer): string | undefined {
    const { cursors } = answer.record("paging");
    const found: unknown = typeof cursors === "object" && cursors !== null ? cursors : {};
    const { after } = found as { readonly after?: unknown }; // narrowed in the next line
    return typeof after === "string" ? after : undefined;
  }

  it("pages through the uploads with limit and after", async () => {
    const { api } = target();
    const ids = [await api.start(), await api.start(), await api.start()];
    const first = await listed("limit=2");
    expect(first.records("data")).toHaveLength(2);
    expect(afterCursor(first)).toBeTypeOf("string");
    const second = await listed(`limit=2&after=${encodeURIComponent(afterCursor(first) ?? "")}`);
    const firstIds = first.records("data").map(({ id }) => id);
    for (const { id } of second.records("data")) expect(firstIds).not.toContain(id);
    expect([...(await findAll(ids, "limit=50"))]).toEqual([]);
  });

  it("keeps to the status asked for", async () => {
    const { api } = target();
    const open = await api.start();
    const complete = await api.start();
    await api.append({ id: complete, offset: 0, bytes: patternBytes({ seed: 1, length: 10 }) });
    expect([...(await findAll([open, complete], "status=open&limit=50"))]).toEqual([complete]);
    expect([...(await findAll([open, complete], "status=complete&limit=50"))]).toEqual([open]);
  });

  it("refuses a limit that is no number and a status that does not exist", async () => {
    const { api } = target();
    for (const query of ["limit=many", "limit=-1", "status=nonsense"]) {
      const answer = await api.get(`/v21.0/${api.appId}/uploads?${query}`);
      expect(answer.status, query).toBe(400);
      const { message } = answer.record("error");
      expect(message, query).toContain(query.split("=")[0]);
    }
  });
});
