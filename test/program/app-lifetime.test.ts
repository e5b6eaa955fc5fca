import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, type TestContext } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { adminTokenOf } from "../fault/hostile-setting.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const yearMs = 365 * 24 * 60 * 60 * 1000;
const bytes = patternBytes({ seed: 11, length: 10 });

async function startServer(context: TestContext): Promise<ServerProcess> {
  const server = await ServerProcess.start();
  context.onTestFinished(() => server.remove());
  return server;
}

function apiOf({ address: url, appId, token }: ServerProcess): GraphApi {
  return new GraphApi({ url, appId, token });
}

it("an app's uploads stay open for a hundred years at most", async (context) => {
  const server = await startServer(context);
  const api = apiOf(server);
  const administration = api.as({ token: await adminTokenOf(server) });
  const patch = (lifetimeMs: number) =>
    administration.authorized({
      method: "PATCH",
      path: `/admin/v1/apps/${server.appId}`,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ lifetimeMs }),
    });
  for (const lifetimeMs of [100 * yearMs + 1, Number.MAX_SAFE_INTEGER]) {
    const answer = await patch(lifetimeMs);
    expect(answer.status, answer.body.toString()).toBe(400);
  }
  expect((await patch(100 * yearMs)).status).toBe(200);
  const id = await api.start();
  await api.append({ id, offset: 0, bytes: bytes.subarray(0, 5) });
  const { json } = await api.status(id, "expires_at");
  expect(json.file_offset).toBe(5);
  expect(Date.parse(String(json.expires_at))).toBeGreaterThan(Date.now() + 99 * yearMs);
});

it("an app whose stored lifetime is longer than that harms no upload and no start", async (context) => {
  const server = await startServer(context);
  await server.terminate();
  const catalog = new DatabaseSync(join(server.dataDirectory, "catalog.sqlite"));
  catalog.exec(`update apps set lifetime_ms = ${Number.MAX_SAFE_INTEGER}`);
  catalog.close();
  await server.restart();
  const id = await apiOf(server).start();
  expect((await apiOf(server).get(`/v21.0/${server.appId}/uploads`)).records("data")).toHaveLength(
    1,
  );
  await apiOf(server).append({ id, offset: 0, bytes: bytes.subarray(0, 5) });
  await server.kill9();
  await server.restart();
  expect(await apiOf(server).offset(id)).toBe(5);
  const ended = await apiOf(server).append({ id, offset: 5, bytes: bytes.subarray(5) });
  expect(ended.status, ended.body.toString()).toBe(200);
});
