import { expect, test } from "vitest";
import { CatalogGuard } from "../../packages/server/src/engine/removal-guard.ts";
import { eventually } from "../support/eventually.ts";
import { PostgresDatabases } from "../support/postgres-databases.ts";
import type { PostgresServer } from "../support/postgres-server.ts";

test.for(["restored", "promoted"] as const)(
  "a server that was %s is another one, and nothing is removed until that is allowed",
  { timeout: 60_000 },
  async (way, context) => {
    const databases = await PostgresDatabases.start();
    if (typeof databases === "string") return context.skip(databases);
    await using server = databases.server;
    const catalog = await databases.open(await databases.create());
    const identity = (): Promise<string> => catalog.identity();
    const counter = { read: () => Promise.resolve(0), write: () => Promise.resolve() };
    const guard = new CatalogGuard({ catalog, counter, identity });
    expect(await guard.countSweep()).toBeUndefined();
    const before = await identity();
    await (way === "restored" ? restore(server) : promote(server));
    const after = before.replace(/\/1$/, "/2");
    const refusal = `the database is ${after}, and was ${before} before`;
    expect(await guard.countSweep()).toBe(refusal);
    await guard.allow();
    expect(await guard.countSweep()).toBeUndefined();
    await catalog.close();
  },
);

async function restore(server: PostgresServer): Promise<void> {
  await server.recover("backup");
  await eventually(
    async () => {
      const [found] = await server.query<{ over: boolean }>(
        "select not pg_is_in_recovery() as over",
      );
      return found?.over === true ? true : undefined;
    },
    { what: "Postgres to end its recovery" },
  );
}

/** And no checkpoint comes that tells the new timeline: only the log does. */
async function promote(server: PostgresServer): Promise<void> {
  await server.recover("standby");
  const [found] = await server.query<{ pid: number }>(
    "select pid from pg_stat_activity where backend_type = 'checkpointer'",
  );
  if (found === undefined) throw new Error("Postgres has no checkpointer");
  process.kill(found.pid, "SIGSTOP");
  await server.query("select pg_promote()");
}
