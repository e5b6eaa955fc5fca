import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { limits } from "../../packages/server/src/base/limits.ts";
import { GraphApi, isRecord, type JsonRecord } from "../conformance/graph/graph-api.ts";
import { adminTokenOf } from "../fault/hostile-setting.ts";
import { EventStream, type StreamEvent } from "../support/event-stream.ts";
import { eventually } from "../support/eventually.ts";
import { RawConnection } from "../support/raw-http.ts";
import { ServerProcess } from "../support/server-process.ts";

let server: ServerProcess;
let api: GraphApi;
let administration: GraphApi;
let admin: string;

beforeAll(async () => {
  server = await ServerProcess.start();
  const { address: url, appId, token } = server;
  api = new GraphApi({ url, appId, token });
  admin = await adminTokenOf(server);
  administration = api.as({ token: admin });
});

afterAll(() => server.remove());

function watch(query = "", token = admin): Promise<EventStream> {
  return EventStream.open(`${server.url}/admin/v1/live${query}`, token);
}

function recordOf(value: unknown): JsonRecord {
  if (!isRecord(value)) throw new Error(`no object: ${JSON.stringify(value)}`);
  return value;
}

function listOf(value: unknown): JsonRecord[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`);
  return value.map(recordOf);
}

async function snapshotOf(stream: EventStream): Promise<JsonRecord> {
  const first = await stream.next();
  expect(first?.event).toBe("snapshot");
  return recordOf(first?.data);
}

/** The rows that a change brings. */
function putOf({ event, data }: StreamEvent): JsonRecord[] {
  const { uploads } = recordOf(data);
  return event === "change" && uploads !== undefined ? listOf(recordOf(uploads).put) : [];
}

async function uuidOf(graphId: string): Promise<string> {
  return (await api.status(graphId, "url")).text("url").split("/").at(-1) ?? "";
}

describe("an operator", () => {
  it.for(["cancel", "expire"] as const)("can %s an open upload, of any app", async (verb) => {
    const state = verb === "cancel" ? "cancelled" : "expired";
    const id = await api.start({ file_length: 10 });
    const uuid = await uuidOf(id);
    const path = `/admin/v1/uploads/${uuid}/${verb}`;
    expect((await api.postJson(path, {})).status).toBe(403);
    expect((await api.status(id)).status).toBe(200);
    const answer = await administration.authorized({ method: "POST", path });
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(answer.json).toEqual({ id: uuid, state });
    expect((await api.status(id)).status).toBe(410);
    expect((await api.append({ id, offset: 0, bytes: Buffer.from("x") })).status).toBe(410);
    const again = await administration.postJson(path, {});
    expect(again.status).toBe(410);
    expect(again.record("error")).toMatchObject({ code: "upload_gone" });
    expect(again.record("error").message).toContain(state);
    const listed = await api.get(`/v21.0/${api.appId}/uploads?status=${state}`);
    expect(listed.records("data").map((row) => row.id)).toContain(id);
  });

  it.for(["cancel", "expire"])(
    "is refused to %s what is complete, unknown or no id",
    async (verb) => {
      await api.upload(Buffer.from("%PDF-1"), { file_name: "complete.pdf" });
      const listed = await api.get(`/v21.0/${api.appId}/uploads?status=complete&limit=1`);
      const complete = await uuidOf(String(listed.records("data")[0]?.id));
      const ask = (id: string, body: unknown = {}) =>
        administration.postJson(`/admin/v1/uploads/${id}/${verb}`, body);
      expect((await ask(complete)).record("error")).toMatchObject({ code: "parameter_invalid" });
      expect((await ask(crypto.randomUUID())).status).toBe(404);
      expect((await ask("x".repeat(200))).status).toBe(404);
      expect((await ask(complete, { more: 1 })).record("error").code).toBe("request_malformed");
    },
  );

  it("stops the writer of what is cancelled", async () => {
    const id = await api.start({ file_length: 1_000_000 });
    using connection = await RawConnection.open({ host: "127.0.0.1", port: server.port });
    await connection.sendHead(api.appendHead(id, 1_000_000));
    await connection.write(Buffer.alloc(1_000));
    const path = `/admin/v1/uploads/${await uuidOf(id)}/cancel`;
    expect((await administration.postJson(path, {})).status).toBe(200);
    expect((await connection.answer()).status).toBe(503);
    expect((await api.status(id)).status).toBe(410);
  });
});

it("the live view ends when the server stops", async () => {
  const stopping = await ServerProcess.start();
  const token = await adminTokenOf(stopping);
  using stream = await EventStream.open(`${stopping.url}/admin/v1/live`, token);
  await snapshotOf(stream);
  const stopped = stopping.terminate();
  const end = await stream.until(({ event }) => event === "end");
  expect(end.data).toEqual({ reason: "draining" });
  expect(await stopped).toMatchObject({ code: 0 });
  await stopping.remove();
});

describe("the live view", () => {
  it("begins with everything there is", async () => {
    const id = await api.start({ file_length: 10, file_name: "seen.pdf" });
    await api.append({ id, offset: 0, bytes: Buffer.from("%PDF") });
    using stream = await watch();
    const snapshot = await snapshotOf(stream);
    const row = listOf(snapshot.uploads).find(({ graphId }) => graphId === id);
    expect(row).toMatchObject({
      id: await uuidOf(id),
      appId: api.appId,
      name: "seen.pdf",
      type: "application/pdf",
      state: "open",
      length: 10,
      offset: 4,
      received: null,
      writer: null,
      dialect: null,
      stalledSince: null,
    });
    expect(recordOf(snapshot.counts).open).toBeGreaterThan(0);
    const room = recordOf(snapshot.room);
    for (const name of ["freeBytes", "totalBytes", "promisedBytes", "softBytes", "hardBytes"]) {
      expect(room[name], name).toBeTypeOf("number");
    }
    expect(snapshot.next).toBeNull();
    expect(snapshot.node).toContain(String(server.pid));
  });

  it("shows who is sending, what has arrived and what is durable, until it is over", async () => {
    const length = 3_000_000;
    const id = await api.start({ file_length: length });
    const uuid = await uuidOf(id);
    using stream = await watch();
    await snapshotOf(stream);
    using connection = await RawConnection.open({ host: "127.0.0.1", port: server.port });
    await connection.sendHead(api.appendHead(id, length));
    await connection.write(Buffer.alloc(2_000_000, 1));
    const isSending = (row: JsonRecord) => row.id === uuid && row.received === 2_000_000;
    const sending = await stream.until((event) => putOf(event).some(isSending));
    expect(putOf(sending).find(isSending)).toMatchObject({ writer: "here", dialect: "graph" });
    const isStalled = (row: JsonRecord) => row.id === uuid && row.stalledSince !== null;
    // Told of late, it is called stalled at once.
    const stalled = putOf(sending).some(isStalled)
      ? sending
      : await stream.until((event) => putOf(event).some(isStalled));
    using others = await watch("?stalled=true");
    const listed = await snapshotOf(others);
    expect(listOf(listed.uploads).map((row) => row.id)).toEqual([uuid]);
    expect(listed.stalled).toBe(1);
    // Durable long before it is called stalled, but for what may be left over.
    expect(Number(putOf(stalled).find(isStalled)?.offset)).toBeGreaterThan(0);
    await connection.write(Buffer.alloc(1_000_000, 1));
    expect((await connection.answer()).status).toBe(200);
    await stream.until(({ data }) => {
      const { uploads } = recordOf(data);
      const order = uploads === undefined ? [uuid] : recordOf(uploads).order;
      return Array.isArray(order) && !order.includes(uuid);
    });
    using after = await watch();
    const samples = listOf((await snapshotOf(after)).samples);
    const sum = (name: string) => samples.reduce((all, each) => all + Number(each[name]), 0);
    // The second in which the last of it became durable may not be over.
    while (sum("durableBytes") < length) {
      const { samples: more = [] } = recordOf((await after.next())?.data);
      samples.push(...listOf(more));
    }
    expect(sum("receivedBytes")).toBeGreaterThanOrEqual(length);
    expect(samples.length).toBeLessThanOrEqual(limits.liveSamplesMax);
  });

  it("tells what failed, where and of which upload, and never a token", async () => {
    const id = await api.start({ file_length: 10 });
    using stream = await watch();
    await snapshotOf(stream);
    await api.append({ id, offset: 7, bytes: Buffer.from("x") });
    await api.request({
      method: "GET",
      path: `/v21.0/${api.appId}/uploads?access_token=marked-token-1`,
      headers: { Authorization: "OAuth marked-token-2" },
    });
    const seen: JsonRecord[] = [];
    await stream.until(({ data }) => {
      const { errors } = recordOf(data);
      if (errors !== undefined) seen.unshift(...listOf(errors));
      return seen.length >= 2;
    });
    const [last, first] = seen;
    expect(first).toMatchObject({
      code: "offset_mismatch",
      status: 412,
      method: "POST",
      upload: await uuidOf(id),
      app: api.appId,
    });
    expect(last).toMatchObject({ code: "request_malformed", upload: null });
    expect(last?.route).toBe(`/v21.0/${api.appId}/uploads`);
    using again = await watch();
    const text = JSON.stringify(await snapshotOf(again));
    expect(text).toContain("offset_mismatch");
    expect(text).not.toContain("marked-token");
    expect(text).not.toContain(server.token);
  });

  it("comes in pages, of all apps or one", async () => {
    const other = "777000000009";
    await administration.postJson("/admin/v1/apps", { id: other });
    const made = await administration.postJson("/admin/v1/tokens", { appId: other });
    const theirs = api.as({ appId: other, token: made.text("token") });
    const ids = [await theirs.start(), await theirs.start(), await theirs.start()];
    const seen: unknown[] = [];
    for (let next: unknown = ""; typeof next === "string";) {
      const after = next === "" ? "" : `&after=${next}`;
      using stream = await watch(`?app=${other}&limit=2${after}`);
      const snapshot = await snapshotOf(stream);
      const rows = listOf(snapshot.uploads);
      expect(rows.length).toBeLessThanOrEqual(2);
      seen.push(...rows.map(({ graphId }) => graphId));
      ({ next } = snapshot);
    }
    expect(seen.sort()).toEqual(ids.sort());
    using all = await watch("?limit=200");
    expect(listOf((await snapshotOf(all)).uploads).length).toBeGreaterThan(3);
  });

  it.for([
    ["?limit=0", "parameter_invalid"],
    ["?limit=201", "parameter_invalid"],
    ["?limit=x", "parameter_invalid"],
    ["?app=x", "parameter_invalid"],
    ["?after=1.2", "parameter_invalid"],
    ["?stalled=yes", "parameter_invalid"],
  ])("refuses %s", async ([query = "", code]) => {
    const answer = await administration.get(`/admin/v1/live${query}`);
    expect(answer.status).toBe(400);
    expect(answer.record("error").code).toBe(code);
  });

  it("is for administration's tokens, and ends when its token does", async () => {
    const paths = ["/admin/v1/live", "/admin/v1/live?limit=0"];
    for (const path of paths) {
      expect((await api.get(path)).status).toBe(403);
      expect((await api.as({ token: "nobody-knows-it" }).get(path)).status).toBe(401);
      expect((await api.request({ method: "GET", path })).status).toBe(401);
    }
    const head = await administration.authorized({ method: "HEAD", path: "/admin/v1/live" });
    expect(head.status).toBe(405);
    const { appId } = api;
    const made = await administration.postJson("/admin/v1/tokens", { appId, scopes: ["admin"] });
    using stream = await watch("", made.text("token"));
    await snapshotOf(stream);
    await administration.postJson("/admin/v1/tokens/revoke", { token: made.text("token") });
    const end = await stream.until(({ event }) => event === "end");
    expect(end.data).toEqual({ reason: "token" });
    expect(await stream.next()).toBeUndefined();
  });

  it("is given to a bounded number, whose places are free again when they go", async () => {
    const streams = await Promise.all(
      Array.from({ length: limits.liveListenersMax }, () => watch()),
    );
    const refused = await administration.get("/admin/v1/live");
    expect(refused.status, refused.body.toString()).toBe(503);
    expect(refused.record("error").code).toBe("upload_busy");
    expect(refused.headers["retry-after"]).toMatch(/^\d+$/);
    for (const stream of streams) stream.close();
    const next = await eventually(
      async () => {
        try {
          return await watch();
        } catch {
          return undefined;
        }
      },
      { what: "a place" },
    );
    next.close();
  });
});
