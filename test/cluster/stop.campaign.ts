import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

import { eventually } from "../support/eventually.ts";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import { ServerProcess } from "../support/server-process.ts";

it("SIGTERM ends a node in time while a sweep waits for a Postgres that is away", async (context) => {
  const databases = await PostgresDatabases.start();
  if (typeof databases === "string") return context.skip(databases);
  context.onTestFinished(() => databases.server.remove());
  const catalog = databases.server.url(await databases.create());
  const node = await ServerProcess.start({
    environment: { HAWSER_CATALOG: catalog, HAWSER_KEY: "the key of the node under test" },
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
