import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import { GraphApi } from "../conformance/graph/graph-api.ts";
import { eventually } from "../support/eventually.ts";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import { RawConnection } from "../support/raw-http.ts";
import { patternBytes } from "../support/seeded.ts";
import { ServerProcess } from "../support/server-process.ts";

const key = "the key of the node under test";

it("SIGTERM ends a node in time while a sweep waits for a Postgres that is away", async (context) => {
  const databases = await PostgresDatabases.start();
  if (typeof databases === "string") return context.skip(databases);
  context.onTestFinished(() => databases.server.remove());
  const catalog = databases.server.url(await databases.create());
  const node = await ServerProcess.start({
    environment: { HAWSER_CATALOG: catalog, HAWSER_KEY: key },
    extraArguments: ["--sweep-interval-seconds", "1"],
    // Well under what a sweep and the closing may each wait for Postgres, together.
    stopTimeoutMs: 15_000,
  });
  context.onTestFinished(() => node.remove());
  await databases.server.kill();
  // Longer than the interval: a sweep is waiting.
  await sleep(1_500);
  const ended = node.terminate();
  const refused = eventually(
    () =>
      fetch(`${node.url}/readyz`).then(
        () => undefined,
        () => true,
      ),
    {
      what: "the node to take no connection",
    },
  );
  await refused;
  expect(node.running).toBe(true);
  expect(await ended).toEqual({ code: 0, signal: null });
});

it("no connection to Postgres is held while bytes flow", async (context) => {
  const databases = await PostgresDatabases.start();
  if (typeof databases === "string") return context.skip(databases);
  context.onTestFinished(() => databases.server.remove());
  const name = await databases.create();
  const node = await ServerProcess.start({
    environment: { HAWSER_CATALOG: databases.server.url(name), HAWSER_KEY: key },
    extraArguments: ["--catalog-connections", "2"],
  });
  context.onTestFinished(() => node.remove());
  const { address: url, appId, token, port } = node;
  const api = new GraphApi({ url, appId, token });
  await using stack = new AsyncDisposableStack();
  const [appends, length, sent] = [20, 1_000_000, 100_000];
  const stalled = Array.from({ length: appends }, async () => {
    const id = await api.start({ file_length: length });
    const connection = stack.use(await RawConnection.open({ host: "127.0.0.1", port }));
    await connection.sendHead(api.appendHead(id, length));
    await connection.write(patternBytes({ seed: 5, length: sent }));
    // More than a trickle: it is committed while the append goes on.
    const committed = async () => ((await api.offset(id)) === sent ? true : undefined);
    await eventually(committed, { what: "the bytes of a stalled append" });
    return connection;
  });
  const connections = await Promise.all(stalled);
  // The node's two, and the one on which it listens.
  const seen = async (): Promise<void> => {
    const states = await databases.server.query<{ state: string }>(
      `select state from pg_stat_activity
         where datname = '${name}' and application_name = 'hawser'`,
    );
    expect(states.length).toBeGreaterThan(0);
    expect(states.length).toBeLessThanOrEqual(3);
    expect(states.filter(({ state }) => state.startsWith("idle in transaction"))).toEqual([]);
  };
  await seen();
  const bytes = patternBytes({ seed: 6, length: 3_000_000 });
  const id = await api.start({ file_length: bytes.length });
  let handle: string | undefined;
  for (let offset = 0; offset < bytes.length; offset += length) {
    const piece = bytes.subarray(offset, offset + length);
    const answer = await api.append({ id, offset, bytes: piece });
    expect(answer.status, answer.body.toString()).toBe(200);
    handle = answer.json.h === undefined ? undefined : answer.text("h");
    await seen();
  }
  const content = await api.content(await api.publish(handle ?? ""));
  expect(content.equals(bytes)).toBe(true);
  expect(connections.filter(({ peerEnd }) => peerEnd !== "open")).toEqual([]);
});
